import type { ConfigurationIssue } from './configuration/document';

/** The task that `lockstep connector test` sends to the process that tries the connector. */
export interface TrialJob {
  /** A parsed lockstep.yaml. */
  readonly document: unknown;
  readonly source: string;
  /** The test account. It ends with a random password that is not shown. */
  readonly account: { readonly name: string; readonly nativeId: string | null };
  /** An attribute and a value that find this account and no other; null skips the cases of `find`. */
  readonly find: { readonly attribute: string; readonly value: string } | null;
}

/** The result of one case of the trial. */
export interface CaseResult {
  readonly title: string;
  readonly verdict: 'ok' | 'wrong' | 'skipped';
  /** What happened and what to do about it, or why the case was skipped; null when there is nothing to add. */
  readonly says: string | null;
}

/** The messages that the process of the trial sends back, in the order in which they occur. */
export type TrialMessage =
  | { readonly kind: 'issues'; readonly issues: readonly ConfigurationIssue[] }
  | { readonly kind: 'unknown_source'; readonly known: readonly string[] }
  | { readonly kind: 'result'; readonly result: CaseResult }
  | { readonly kind: 'ended' };
