import type { ErrorCode } from '../errors';
import type { LinkReportCode, ReportedAccount } from '../people/link-reports';
import type { TargetPolicy } from '../policy/target-policy';

/** What a worker stores as the result of a job. The API passes it on unread; the CLI shows it. */

/** One line of `lockstep doctor`. */
export interface Finding {
  /** A stable name, such as `tls`, `service-login`, `rights`, `policy`. */
  readonly check: string;
  readonly verdict: 'ok' | 'warning' | 'wrong' | 'skipped';
  /** What was found, and what to do if it is not right. */
  readonly says: string;
}

export interface SourceCheck {
  readonly findings: readonly Finding[];
  /** The password rules that the source reported, for `lockstep plan`; empty if it reports none. */
  readonly policies: readonly TargetPolicy[];
}

/** The check of a source that is not configured yet. */
export interface CandidateCheck extends SourceCheck {
  /** The first accounts that the source lists; empty if a finding is wrong. */
  readonly accounts: readonly PreviewedAccount[];
  /** Why the source cannot list its accounts; null if it can, or if a finding is wrong. */
  readonly listing: string | null;
}

export interface PreviewedAccount {
  readonly name: string;
  /** The first value of each attribute; null for one that may be a password or a hash. */
  readonly attributes: Readonly<Record<string, string | null>>;
}

export interface Refresh {
  /** True if nothing was written. */
  readonly preview: boolean;
  /** Accounts that were read from the source. */
  readonly read: number;
  readonly linked: number;
  readonly alreadyLinked: number;
  readonly peopleAdded: number;
  /** People whose attributes now follow their account. */
  readonly peopleUpdated: number;
  /** People without an account in the auth source of a group any more, by name. */
  readonly leavers: Sample;
  /** Accounts that were unlinked, because they were missing for longer than the grace period. */
  readonly unlinked: Sample;
  /** True if more linked accounts are missing than the limit allows, so the list is probably wrong. Then nothing is unlinked. */
  readonly suspicious: boolean;
  /** Accounts that match no person. */
  readonly unmatched: Sample;
  /** Accounts that match several people, or share one person with another account. */
  readonly ambiguous: Sample;
  /** Accounts without a name, or with text that Lockstep cannot store (NUL, half of a surrogate pair). They are skipped. */
  readonly unreadable: Sample;
  /** Accounts that an operator should know about, by what happened to them. */
  readonly reports: readonly AccountReport[];
  /**
   * Why the list of accounts is partial; null if it is complete. Nothing is linked by a partial list, because an account
   * that is missing from it may be the one that matches a person, too. Nothing is reported as vanished or created again.
   */
  readonly failed: ErrorCode | null;
}

export interface AccountReport {
  readonly code: LinkReportCode;
  /** What happened to the accounts, and what an operator does about it. The names of the accounts are its subject. */
  readonly says: string;
  readonly count: number;
  /** The first of the accounts. */
  readonly first: readonly ReportedAccount[];
}

/** How many accounts there are, and the names of the first ones. */
export interface Sample {
  readonly count: number;
  readonly first: readonly string[];
}

export interface Look {
  /** Accounts whose state was read from the source. */
  readonly read: number;
  /** Accounts for which the source reported when the password was last changed. */
  readonly told: number;
  /** Why the look ended early; null if it did not. */
  readonly failed: ErrorCode | null;
}
