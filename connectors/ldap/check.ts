import { randomUUID } from 'node:crypto';
import type { Entry } from 'ldapts';
import type { Finding } from '../contract';
import { accountFilter, type NativeIds, valuesOf } from './accounts';
import { ok, warning, wrong } from './findings';
import type { Link } from './link';
import { policyFindings } from './policies';
import { mayWrite, sampleAccount } from './probe';
import { serverOf } from './server';
import type { LdapSettings } from './settings';
import type { Vendor } from './vendors';

/** Returns the findings of `lockstep doctor` about a directory. It changes nothing. */
export async function checkDirectory(
  link: Link,
  settings: LdapSettings,
  ids: NativeIds,
): Promise<readonly Finding[]> {
  const { vendor, version } = await serverOf(link);
  const { account, base } = await sampleAccount(link, settings, ids, vendor.readBefore);
  if (account === null) return [base];
  return [
    ok(
      'server',
      `Lockstep treats the server as ${vendor.title}${version === null ? '' : ` (${version})`}.`,
    ),
    base,
    ids.idOf(account) === null
      ? warning(
          'native-id',
          `The service account cannot read ${ids.attribute}, so Lockstep cannot find an account after a rename. Give it the right to read ${ids.attribute}.`,
        )
      : ok('native-id', `The service account can read ${ids.attribute}.`),
    await passwordRight(link, account, settings, vendor),
    await keepingRight(link, account, vendor),
    await listing(link, settings, vendor),
    ...(await policyFindings(link, settings)),
  ];
}

async function passwordRight(
  link: Link,
  account: Entry,
  { bindDn, passwordAttribute }: LdapSettings,
  { advice }: Vendor,
): Promise<Finding> {
  return (await mayWrite(link, account.dn, passwordAttribute, randomUUID()))
    ? ok('rights', `${bindDn} may write ${passwordAttribute}.`)
    : wrong(
        'rights',
        `${bindDn} may not write ${passwordAttribute} of ${account.dn}. ${advice.write}`,
      );
}

async function keepingRight(link: Link, account: Entry, vendor: Vendor): Promise<Finding> {
  for (const [attribute, value] of Object.entries(vendor.absent)) {
    if (!(await mayWrite(link, account.dn, attribute, value)))
      return warning(
        'keep-lock',
        `The service account may not write ${attribute}, so Lockstep writes no password to an account that is locked or must change its own. ${vendor.advice.keep}`,
      );
  }
  if (!vendor.losesLock) return ok('keep-lock', 'A lock and a forced change can be kept.');
  return vendor.readBefore.some((attribute) => valuesOf(account, attribute).length > 0)
    ? ok(
        'keep-lock',
        'A forced change can be kept. Lockstep writes no password to an account while it is locked.',
      )
    : warning(
        'keep-lock',
        `The service account cannot read ${vendor.readBefore.join(', ')}, so each new password ends a lock and a forced change. ${vendor.advice.keep}`,
      );
}

const SIZE_LIMIT_EXCEEDED = 4;

/** Above the default size limit of OpenLDAP (500). Reading all accounts could take long. */
const LISTED = 1_000;

async function listing(link: Link, settings: LdapSettings, vendor: Vendor): Promise<Finding> {
  const reply = await link.ask(async (client) => {
    let listed = 0;
    const pages = client.searchPaginated(settings.base, {
      scope: 'sub',
      attributes: ['1.1'],
      filter: accountFilter(settings),
      paged: { pageSize: LISTED / 2 },
    });
    for await (const page of pages) {
      listed += page.searchEntries.length;
      if (listed >= LISTED) break;
    }
  });
  return !reply.ok && reply.code === SIZE_LIMIT_EXCEEDED
    ? warning(
        'listing',
        `The server returns only some of the accounts to ${settings.bindDn}, so a refresh cannot list them. ${vendor.advice.list}`,
      )
    : ok('listing', 'The service account can list the accounts page by page.');
}
