/** Who a notice is for: the person whose password it is about, or the operators of Lockstep. */
export const audiences = ['people', 'operators'] as const;

export type Audience = (typeof audiences)[number];

interface KindRow {
  readonly audience: Audience;
  /** The type of the event in a webhook. */
  readonly event: string;
  /**
   * How long a notice of this kind is held back, in milliseconds. If its subject changes again in that time, the notice
   * is withdrawn, so that a source that flaps causes no flood.
   */
  readonly heldMs: number;
}

/** A source that is back within this time causes no notice. */
const OUTAGE_MS = 120_000;

/** The closed list of notices. Each has a text of its name in every file of `texts/`. */
const table = {
  password_changed: { audience: 'people', event: 'password.changed', heldMs: 0 },
  one_time_link: { audience: 'people', event: 'one-time-link.created', heldMs: 0 },
  password_incomplete: { audience: 'people', event: 'password.incomplete', heldMs: 0 },
  password_expiring: { audience: 'people', event: 'password.expiring', heldMs: 0 },
  password_expired: { audience: 'people', event: 'password.expired', heldMs: 0 },
  change_parked: { audience: 'operators', event: 'change.parked', heldMs: 0 },
  source_down: { audience: 'operators', event: 'source.down', heldMs: OUTAGE_MS },
  source_paused: { audience: 'operators', event: 'source.paused', heldMs: OUTAGE_MS },
  source_up: { audience: 'operators', event: 'source.up', heldMs: OUTAGE_MS },
  source_unstable: { audience: 'operators', event: 'source.unstable', heldMs: 0 },
  relay_silent: { audience: 'operators', event: 'relay.silent', heldMs: 0 },
  relay_heard: { audience: 'operators', event: 'relay.heard', heldMs: 0 },
  key_ending: { audience: 'operators', event: 'key.ending', heldMs: 0 },
  master_key_unsaved: { audience: 'operators', event: 'master-key.unsaved', heldMs: 0 },
  accounts_missing: { audience: 'operators', event: 'accounts.missing', heldMs: 0 },
  accounts_returned: { audience: 'operators', event: 'accounts.returned', heldMs: 0 },
  accounts_unlinked: { audience: 'operators', event: 'accounts.unlinked', heldMs: 0 },
  list_suspicious: { audience: 'operators', event: 'list.suspicious', heldMs: 0 },
  test: { audience: 'operators', event: 'notice.test', heldMs: 0 },
} as const satisfies Record<string, KindRow>;

export type NoticeKind = keyof typeof table;

export const noticeKinds: Readonly<Record<NoticeKind, KindRow>> = table;
export const noticeKindNames = Object.keys(table) as [NoticeKind, ...NoticeKind[]];

/** The kinds that report trouble of a subject, each with the kind that reports its end. */
const ends: Readonly<Partial<Record<NoticeKind, NoticeKind>>> = {
  source_down: 'source_up',
  source_paused: 'source_up',
  relay_silent: 'relay_heard',
};

/** A notice that is due, among the notices about the same subject. */
export interface DueNotice {
  readonly kind: NoticeKind;
  /** True for a repetition while the trouble lasts. */
  readonly reminder: boolean;
  /** Whether there is a newer notice about the same source or relay. */
  readonly overtaken: boolean;
  /** The kind that was last sent about the same source or relay; null when none was. */
  readonly lastSent: NoticeKind | null;
}

/**
 * Whether a notice that is due still reports something new. One outage causes one notice, whatever happened while that
 * was held back, and an end is reported only after its trouble was.
 */
export function isNews({ kind, reminder, overtaken, lastSent }: DueNotice): boolean {
  const isEnd = Object.values(ends).includes(kind);
  if (!isEnd && ends[kind] === undefined) return true;
  if (overtaken) return false;
  if (isEnd) return lastSent !== null && ends[lastSent] === kind;
  return reminder || lastSent !== kind;
}
