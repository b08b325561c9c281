import type { Entry } from 'ldapts';
import { cached } from '../cached';
import type { Finding, WriteAnswer } from '../contract';
import { readStored } from '../marks';
import { accountFilter, search, valuesOf } from './accounts';
import { ok, warning } from './findings';
import type { Link } from './link';
import type { LdapSettings } from './settings';

/**
 * Schemes of userPassword that hold no password but name another system, which verifies it. Sources: SASL of slapd
 * (saslauthd), its modules kerberos and radius, and UNIX, which older versions passed on to the operating system.
 */
const SCHEMES = ['SASL', 'KERBEROS', 'RADIUS', 'UNIX'] as const;

const PASS_THROUGH = new RegExp(`^\\{(${SCHEMES.join('|')})\\}`, 'i');

/**
 * Returns the scheme by which an entry refers to a password that is kept elsewhere, such as `SASL`. Null if there is
 * none, or if the service account cannot read the attribute.
 */
function passedThrough(entry: Entry, attribute: string): string | null {
  for (const value of valuesOf(entry, attribute)) {
    const scheme = PASS_THROUGH.exec(String(value))?.[1];
    if (scheme !== undefined) return scheme.toUpperCase();
  }
  return null;
}

/** A value that crypt(3) checks. Directories that were filled from /etc/shadow have its marks, too. */
const CRYPT = /^\{CRYPT\}(.*)$/is;

/**
 * Returns the answer to a write for an account whose value must stay. A new one would cut off another system, or unlock an
 * account that is locked by a mark in front of its hash. Null for any other account.
 */
export function refusalFor(entry: Entry, attribute: string): WriteAnswer | null {
  const elsewhere = passedThrough(entry, attribute);
  if (elsewhere !== null)
    return { result: 'rejected', reason: 'no_own_password', vendorCode: elsewhere };
  for (const value of valuesOf(entry, attribute)) {
    const stored = CRYPT.exec(String(value))?.[1];
    const { lock, hash } = readStored(stored ?? '');
    if (lock === '') continue;
    const reason = hash === null ? 'no_own_password' : 'account_disabled';
    return { result: 'rejected', reason, vendorCode: 'CRYPT' };
  }
  return null;
}

/** Number of accounts that show whether the service account can read passwords. Some may have none. */
const SAMPLE = 20;
/** How long the result is kept. An administrator of the directory changes the rights rarely. */
const KEPT_MS = 600_000;

/** Returns whether the service account can read the password attribute, from one search in ten minutes. */
export const readsPasswords = (settings: LdapSettings): ((link: Link) => Promise<boolean>) =>
  cached(KEPT_MS, async (link) => {
    const { base, passwordAttribute } = settings;
    const reply = await search(link, base, {
      ...{ scope: 'sub', filter: accountFilter(settings), sizeLimit: SAMPLE },
      attributes: [passwordAttribute],
    });
    const entries = reply.ok ? reply.value : [];
    return entries.some((entry) => valuesOf(entry, passwordAttribute).length > 0);
  });

/** Reads the entry of an account for `refusalFor`. Null if it cannot be read. */
export async function refusalAt(
  link: Link,
  dn: string,
  { passwordAttribute }: LdapSettings,
): Promise<WriteAnswer | null> {
  const reply = await search(link, dn, { scope: 'base', attributes: [passwordAttribute] });
  const [entry] = reply.ok ? reply.value : [];
  return entry === undefined ? null : refusalFor(entry, passwordAttribute);
}

/** Counts the passwords that `lockstep doctor` has seen in a listing. */
export interface SeenPasswords {
  accounts: number;
  readable: number;
  readonly elsewhere: Map<string, number>;
}

export const nothingSeen = (): SeenPasswords => ({
  accounts: 0,
  readable: 0,
  elsewhere: new Map(),
});

export function notePasswords(
  seen: SeenPasswords,
  entries: readonly Entry[],
  attribute: string,
): void {
  for (const entry of entries) {
    seen.accounts++;
    if (valuesOf(entry, attribute).length > 0) seen.readable++;
    const scheme = passedThrough(entry, attribute);
    if (scheme !== null) seen.elsewhere.set(scheme, (seen.elsewhere.get(scheme) ?? 0) + 1);
  }
}

export function passThroughFinding(
  seen: SeenPasswords,
  { passwordAttribute }: LdapSettings,
): Finding {
  const { accounts, readable, elsewhere } = seen;
  if (readable === 0)
    return {
      check: 'pass-through',
      verdict: 'skipped',
      says: `The service account cannot read ${passwordAttribute}, so Lockstep would overwrite a value such as {SASL}user@REALM, which refers to a password in another system. If this directory has such accounts, let the service account read ${passwordAttribute}, or exclude them with userFilter.`,
    };
  if (elsewhere.size === 0)
    return ok(
      'pass-through',
      `None of the ${accounts} accounts that were read has its password in another system.`,
    );
  const counts = [...elsewhere].map(([scheme, count]) => `${count} with {${scheme}}`).join(', ');
  return warning(
    'pass-through',
    `Of the ${accounts} accounts that were read, some have their password in another system: ${counts}. Lockstep writes no password to them. Connect that system as a source of its own, or exclude them with userFilter.`,
  );
}
