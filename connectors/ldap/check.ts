import { randomUUID } from 'node:crypto';
import type { Entry } from 'ldapts';
import type { Finding } from '../contract';
import { accountFilter, type NativeIds, valuesOf } from './accounts';
import { ok, warning, wrong } from './findings';
import type { Link } from './link';
import { policyFindings } from './policies';
import { anAccount, mayWrite } from './probe';
import { serverOf } from './server';
import type { LdapSettings } from './settings';
import type { Vendor } from './vendors';

/** What `doctor` wants to know of a directory, found out without changing anything. */
export async function checkDirectory(
  link: Link,
  settings: LdapSettings,
  ids: NativeIds,
): Promise<readonly Finding[]> {
  const { vendor, version } = await serverOf(link);
  const { account, base } = await anAccount(link, settings, ids, vendor.seen);
  if (account === null) return [base];
  return [
    ok('server', `Taken for ${vendor.title}${version === null ? '' : ` (${version})`}.`),
    base,
    ids.idOf(account) === null
      ? warning(
          'native-id',
          `${ids.attribute} cannot be read, so an account that is renamed is lost.`,
        )
      : ok('native-id', `${ids.attribute} can be read.`),
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
        `${attribute} may not be written, so no password is written to accounts that are locked or must change. ${vendor.advice.keep}`,
      );
  }
  if (!vendor.losesLock) return ok('keep-lock', 'A lock and a forced change can be kept.');
  return vendor.seen.some((attribute) => valuesOf(account, attribute).length > 0)
    ? ok('keep-lock', 'A forced change is kept. An account is not written while it is locked.')
    : warning(
        'keep-lock',
        `${vendor.seen.join(', ')} cannot be read, so a lock and a forced change are lost with each new password. ${vendor.advice.keep}`,
      );
}

const SIZE_LIMIT_EXCEEDED = 4;

/** More than OpenLDAP gives to whom it sets no limits (500); reading all there is could take long. */
const LISTED = 1_000;

async function listing(link: Link, settings: LdapSettings, vendor: Vendor): Promise<Finding> {
  const reply = await link.ask(async (client) => {
    let seen = 0;
    const pages = client.searchPaginated(settings.base, {
      scope: 'sub',
      attributes: ['1.1'],
      filter: accountFilter(settings),
      paged: { pageSize: LISTED / 2 },
    });
    for await (const page of pages) {
      seen += page.searchEntries.length;
      if (seen >= LISTED) break;
    }
  });
  return !reply.ok && reply.code === SIZE_LIMIT_EXCEEDED
    ? warning(
        'listing',
        `${settings.bindDn} gets only some of the accounts, so a refresh cannot list them. ${vendor.advice.list}`,
      )
    : ok('listing', 'Accounts can be listed page by page.');
}
