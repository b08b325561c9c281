import { randomUUID } from 'node:crypto';
import { Attribute, Change, type Entry } from 'ldapts';
import type { Finding } from '../contract';
import { accountFilter, accountOptions, type NativeIds, search, valuesOf } from './accounts';
import { ok, warning, wrong } from './findings';
import type { Link } from './link';
import { overlayPolicies } from './policies';
import { policyStateAttributes } from './policy-state';
import type { LdapSettings } from './settings';

const INSUFFICIENT_RIGHTS = 50;

/** What `doctor` wants to know of an OpenLDAP server, found out without changing anything. */
export async function checkOpenLdap(
  link: Link,
  settings: LdapSettings,
  ids: NativeIds,
): Promise<readonly Finding[]> {
  const reply = await search(link, settings.base, {
    ...accountOptions(ids, settings),
    filter: accountFilter(settings),
    sizeLimit: 1,
  });
  const [account] = reply.ok ? reply.value : [];
  if (account === undefined) return [noAccounts(settings, reply.ok ? null : reply.code)];
  return [
    ok('base', `There are accounts below ${settings.base}.`),
    ids.idOf(account) === null
      ? warning(
          'native-id',
          `${ids.attribute} cannot be read, so an account that is renamed is lost.`,
        )
      : ok('native-id', `${ids.attribute} can be read.`),
    await passwordRight(link, account, settings),
    await keepingRight(link, account),
    await listing(link, settings),
    ...(await policies(link, settings)),
  ];
}

export const noAccounts = (settings: { base: string }, code: number | null): Finding =>
  wrong(
    'base',
    code === null
      ? `No account below ${settings.base} can be seen. Check base, userFilter and the read rights.`
      : `${settings.base} cannot be read (${code}). Check base and the read rights.`,
  );

async function passwordRight(link: Link, account: Entry, settings: LdapSettings): Promise<Finding> {
  const { passwordAttribute } = settings;
  return (await mayWrite(link, account.dn, passwordAttribute, randomUUID()))
    ? ok('rights', `${settings.bindDn} may write ${passwordAttribute}.`)
    : wrong(
        'rights',
        `${settings.bindDn} may not write ${passwordAttribute} of ${account.dn}. Give it "=cw".`,
      );
}

async function keepingRight(link: Link, account: Entry): Promise<Finding> {
  // A date before any lock, and a value that no password change leaves behind.
  const absent = { pwdAccountLockedTime: '19700101000001Z', pwdReset: 'FALSE' };
  for (const attribute of policyStateAttributes) {
    const value = absent[attribute as keyof typeof absent];
    if (!(await mayWrite(link, account.dn, attribute, value)))
      return warning(
        'keep-lock',
        `${attribute} may not be written, so no password is written to accounts that are locked or must change. Give write access to ${policyStateAttributes.join(' and ')}.`,
      );
  }
  return ok('keep-lock', 'A lock and a forced change can be kept.');
}

/**
 * Asks to remove a value that is not there. Rights are looked at first, so the refusal tells, and nothing changes.
 */
async function mayWrite(
  link: Link,
  dn: string,
  attribute: string,
  absent: string,
): Promise<boolean> {
  const change = new Change({
    operation: 'delete',
    modification: new Attribute({ type: attribute, values: [absent] }),
  });
  const reply = await link.ask((client) => client.modify(dn, change));
  return reply.ok || reply.code !== INSUFFICIENT_RIGHTS;
}

const SIZE_LIMIT_EXCEEDED = 4;

/** More than OpenLDAP gives to whom it sets no limits (500); reading all there is could take long. */
const LISTED = 1_000;

async function listing(link: Link, settings: LdapSettings): Promise<Finding> {
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
        `${settings.bindDn} gets only some of the accounts, so a refresh cannot list them. Give it "limits … size=unlimited".`,
      )
    : ok('listing', 'Accounts can be listed page by page.');
}

async function policies(link: Link, settings: LdapSettings): Promise<Finding[]> {
  const seen = await overlayPolicies(link, settings.base);
  return seen.length === 0
    ? [{ check: 'policy', verdict: 'skipped', says: 'No password policy can be read.' }]
    : seen.map((policy) => policyFinding(policy, settings));
}

function policyFinding(policy: Entry, { hashes }: LdapSettings): Finding {
  const has = (attribute: string) => valuesOf(policy, attribute).map(String)[0] ?? '0';
  if (has('pwdSafeModify') === 'TRUE')
    return warning(
      'policy',
      `${policy.dn} wants the old password with each change (pwdSafeModify), so no password is written to accounts under it.`,
    );
  if (hashes.length > 0 && has('pwdCheckQuality') === '2')
    return warning(
      'policy',
      `${policy.dn} refuses what it cannot judge (pwdCheckQuality 2), hashes too, unless the service account may manage userPassword. Set it to 1, or take hashes away.`,
    );
  if (has('pwdMustChange') === 'TRUE')
    return warning(
      'policy',
      `${policy.dn} forces a change after a write by an account that may manage userPassword (pwdMustChange). Lockstep takes that back; give its service account "=cw", not "manage".`,
    );
  return ok(
    'policy',
    `${policy.dn}: length ${has('pwdMinLength')} to ${has('pwdMaxLength')} bytes, history ${has('pwdInHistory')}, minimum age ${has('pwdMinAge')} s; 0 sets no rule.`,
  );
}
