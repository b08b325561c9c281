import { randomUUID } from 'node:crypto';
import type { Entry } from 'ldapts';
import type { Finding } from '../contract';
import { accountFilter, type NativeIds, valuesOf } from './accounts';
import { ok, warning, wrong } from './findings';
import type { Link } from './link';
import { notePasswords, nothingSeen, passThroughFinding, type SeenPasswords } from './pass-through';
import { policyFindings } from './policies';
import { answered, exopRefusal, mayWrite, sampleAccount, writeRefusal } from './probe';
import { explained, LIMITS } from './read-refusals';
import { serverOf } from './server';
import type { LdapSettings } from './settings';
import type { Vendor } from './vendors';
import { wayToWrite } from './write';

/** Returns the findings of `lockstep doctor` about a directory. It changes nothing. */
export async function* checkDirectory(
  link: Link,
  settings: LdapSettings,
  ids: NativeIds,
): AsyncGenerator<Finding> {
  const { vendor, version } = await serverOf(link);
  yield ok(
    'server',
    `Lockstep treats the server as ${vendor.title}${version === null ? '' : ` (${version})`}.`,
  );
  const { account, base } = await sampleAccount(link, settings, ids, vendor.readBefore);
  yield base;
  if (account !== null) {
    yield nativeId(account, ids);
    yield await answered('rights', passwordRight(link, account, settings, vendor));
    yield await answered('keep-lock', keepingRight(link, account, vendor));
    const seen = nothingSeen();
    yield await answered('listing', listing(link, settings, vendor, seen));
    yield passThroughFinding(seen, settings);
  }
  yield* await policyFindings(link, settings);
}

const nativeId = (account: Entry, ids: NativeIds): Finding =>
  ids.idsOf(account).length === 0
    ? warning(
        'native-id',
        `The service account cannot read ${ids.attributes[0]}, so Lockstep cannot find an account after a rename, and writes no password to an account whose id it has learnt before. Give it the right to read ${ids.attributes[0]}.`,
      )
    : ok('native-id', `The service account can read ${ids.attributes[0]}.`);

async function passwordRight(
  link: Link,
  account: Entry,
  settings: LdapSettings,
  vendor: Vendor,
): Promise<Finding> {
  const { bindDn, passwordAttribute } = settings;
  if (!(await mayWrite(link, account.dn, passwordAttribute, randomUUID())))
    return wrong(
      'rights',
      `${bindDn} may not write ${passwordAttribute} of ${account.dn}. ${vendor.advice.write}`,
    );
  const refusal = await writeRefusal(link, account.dn, passwordAttribute);
  if (refusal !== null) return wrong('rights', refusal);
  const refused =
    wayToWrite(settings, vendor, false) === 'exop' ? await exopRefusal(link, settings.base) : null;
  if (refused !== null)
    return wrong(
      'rights',
      `The server does not let ${bindDn} use the password modify operation of RFC 3062 (${refused}), with which Lockstep writes passwords. Allow it in the server, or set write to modify.`,
    );
  return ok('rights', `${bindDn} may write ${passwordAttribute}.`);
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

/** Above the default size limit of OpenLDAP (500). Reading all accounts could take long. */
const LISTED = 1_000;

async function listing(
  link: Link,
  settings: LdapSettings,
  vendor: Vendor,
  seen: SeenPasswords,
): Promise<Finding> {
  const { base, passwordAttribute } = settings;
  const reply = await link.ask(async (client) => {
    const pages = client.searchPaginated(base, {
      scope: 'sub',
      attributes: [passwordAttribute],
      filter: accountFilter(settings),
      paged: { pageSize: LISTED / 2 },
    });
    for await (const page of pages) {
      notePasswords(seen, page.searchEntries, passwordAttribute);
      if (seen.accounts >= LISTED) break;
    }
  });
  if (reply.ok) return ok('listing', 'The service account can list the accounts page by page.');
  const remedy = LIMITS.has(reply.code) ? vendor.advice.list : undefined;
  return warning(
    'listing',
    `A refresh cannot list the accounts as ${settings.bindDn}. ${explained(reply, remedy)}`,
  );
}
