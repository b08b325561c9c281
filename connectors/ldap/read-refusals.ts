import type { CodeOf } from '../../model/errors';
import type { SourceFailure } from '../contract';
import type { LdapRefusal } from './link';

/** A failed read, for a reason that has nothing to do with a single account. */
type ReadFailure = SourceFailure & {
  readonly reason: CodeOf<'offline' | 'unknown'> | 'no_rights' | 'not_supported';
};

interface Meaning {
  readonly reason: ReadFailure['reason'];
  /** What the server reports, as the beginning of a finding of `lockstep doctor`. */
  readonly problem: string;
  readonly remedy: string;
}

const busy = (problem: string): Meaning => ({
  reason: 'busy',
  problem,
  remedy: 'Run "lockstep doctor" again later.',
});

const unsupported = (problem: string, remedy: string): Meaning => ({
  reason: 'not_supported',
  problem,
  remedy,
});

/** The server limits what one search returns. */
export const LIMITS: ReadonlySet<number> = new Set([3, 4, 11]);

/** Meanings of the result codes (RFC 4511 appendix A.2) of a search or a comparison. */
const byCode: Readonly<Record<number, Meaning>> = {
  3: busy('The server ended the search at its time limit'),
  4: unsupported(
    'The server returns only some of the entries',
    'Raise the size limit of the service account.',
  ),
  8: unsupported(
    'The server requires a stronger login',
    'Allow the service account a login by name and password over TLS.',
  ),
  10: unsupported(
    'The server refers the search to another server',
    'Set url to a server that holds base itself.',
  ),
  11: unsupported(
    'A limit that the administrator of the server has set does not allow this search, or paged results',
    'Raise the limits of the service account, and allow it paged results.',
  ),
  12: unsupported(
    'The server does not support paged results, or another control that the search needs',
    'Enable this control in the server.',
  ),
  13: unsupported(
    'The server requires a connection with stronger encryption',
    'Compare the security settings of the server with the TLS version and cipher that url leads to.',
  ),
  32: unsupported('The server has no such entry', 'Check base.'),
  34: unsupported('The server does not accept the name as a DN', 'Check base.'),
  48: {
    reason: 'no_rights',
    problem: 'The server requires another kind of login',
    remedy: 'Allow the service account a login by name and password.',
  },
  50: {
    reason: 'no_rights',
    problem: 'The service account may not read the entries',
    remedy: 'Give it the right to read below base.',
  },
  51: busy('The server is busy'),
  52: busy('The server is shutting down, or the data are offline'),
  53: unsupported(
    'The server is unwilling to carry out the search',
    'Check base, and the restrictions of the service account.',
  ),
  80: {
    reason: 'unknown',
    problem: 'The server reports an internal error, which can also be a size limit (ApacheDS)',
    remedy: 'Look for the cause in the log of the server.',
  },
};

const unknown: Meaning = {
  reason: 'unknown',
  problem: 'The server refused the search with a code that Lockstep does not know',
  remedy: 'Look up the code in the documentation and in the log of the server.',
};

const meaningOf = (code: number): Meaning => byCode[code] ?? unknown;

/** Translates the refusal of a read. */
export function failureOf({ code }: LdapRefusal): ReadFailure {
  return { result: 'failed', reason: meaningOf(code).reason, vendorCode: String(code) };
}

/** Returns the refusal of a read as sentences for an operator. @param remedy replaces the general advice */
export function explained({ code }: LdapRefusal, remedy = meaningOf(code).remedy): string {
  return `${meaningOf(code).problem} (${code}). ${remedy}`;
}
