import type { ConfigurationIssue } from './configuration/document';

/** What `lockstep connector test` and the process that carries it out tell each other. */
export interface TrialJob {
  /** A lockstep.yaml, as data. */
  readonly document: unknown;
  readonly source: string;
  /** Its password is lost afterwards: nobody is told what it is set to. */
  readonly account: { readonly name: string; readonly nativeId: string | null };
  /** An attribute and its value that find the account, and no other. */
  readonly find: { readonly attribute: string; readonly value: string } | null;
}

export interface CaseResult {
  readonly title: string;
  readonly verdict: 'ok' | 'wrong' | 'skipped';
  /** What was seen, and what to do about it; why it was skipped. */
  readonly says: string | null;
}

export type TrialMessage =
  | { readonly kind: 'issues'; readonly issues: readonly ConfigurationIssue[] }
  | { readonly kind: 'unknown_source'; readonly known: readonly string[] }
  | { readonly kind: 'result'; readonly result: CaseResult }
  | { readonly kind: 'ended' };
