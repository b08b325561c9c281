import type { NoticeKind } from './kinds';

/**
 * What a notice reports. It holds names, codes and times only, never a password or text of a vendor. Only the mail of a
 * one-time link holds the link.
 */
export interface NoticeFacts {
  /** Name of the person; null for a notice to operators. */
  readonly person: string | null;
  /** When the reported event happened. */
  readonly at: Date;
  /** The source, relay, key or channel that the notice is about; null when it is about none. */
  readonly subject: string | null;
  readonly changeId: string | null;
  /** True for a repetition while the trouble lasts. */
  readonly reminder: boolean;
  /** Sentence about the reason, in English; null when there is none. */
  readonly reason: string | null;
  /** The sources that did not take the new password. */
  readonly sources: readonly string[];
  /** Those of them whose accounts may hold it all the same. */
  readonly unsure: readonly string[];
  /** The source of a relay, the name of an API key, or the group of a password. */
  readonly about: string | null;
  /** When an API key or a password ends, or when missing accounts are unlinked. */
  readonly endsAt: Date | null;
  /** How many accounts the notice is about; 0 when it is about none. */
  readonly count: number;
  /** The first of the people whose accounts these are, by name. */
  readonly names: readonly string[];
  /** True when the source authenticates these people first. */
  readonly left: boolean;
  /** The one-time link, of the notice that brings it. It is nowhere else. */
  readonly link: string | null;
  /** Whom the person asks for help, such as "the help desk (phone 4711)". */
  readonly contact: string | null;
}

export interface NoticeText {
  readonly subject: string;
  /** Sentences, of which the last paragraph is what to do. */
  readonly paragraphs: readonly string[];
}

/** The texts of one language, by kind. */
export type Texts = Readonly<Record<NoticeKind, (facts: NoticeFacts) => NoticeText>>;

/** A time as every reader understands it: `2026-11-29 01:20 UTC`. */
export const shownTime = (at: Date): string =>
  `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
