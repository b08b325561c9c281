import type { AdapterUse } from '../change/adapter-rules';
import type { InboundSync } from '../configuration/adapter';
import type { Form } from '../hashes/encoding';

/**
 * Decides whether a capture starts a change. A capture reports that a password was changed in a source itself, outside
 * Lockstep. Its time comes from another clock, and it may be late, a duplicate, or the echo of a write of Lockstep.
 */

/** Within this time, in milliseconds, the same value again is the same change (reference semantics §6.13). */
export const DAMPING_MS = 10 * 60_000;

/** Largest difference, in milliseconds, between the clock of a capture and that of the database. */
export const CLOCKS_AGREE_MS = 1_000;

/** Longest time, in milliseconds, that a write takes together with its verification. */
const WRITE_MS = 40_000;

/** One password that an account held, as far as Lockstep knows. */
export interface Held {
  /** When Lockstep finished writing it (database clock); for a password changed in the source, when it was captured. */
  readonly at: Date;
  /** True when it was changed in the source, after every earlier write of Lockstep. */
  readonly native: boolean;
  /** True when it is the captured password. */
  readonly same: boolean;
}

export interface CaptureFacts {
  /** Null when the source is not configured, or the caller may not capture there. */
  readonly source: CapturedSource | null;
  /** Null when the source is no adapter. */
  readonly adapter: CapturedAdapter | null;
  readonly form: Form;
  /** True for a hash that the source itself makes of each password, so that no fingerprint of Lockstep matches it. */
  readonly hashedThere: boolean;
  /** True when the account is linked to a person, and a change of that person would include it. */
  readonly takesPart: boolean;
  /** Never after `now`. */
  readonly capturedAt: Date;
  /** Captures before this time are ignored; null ignores none. */
  readonly notBefore: Date | null;
  /** Clock of the database. */
  readonly now: Date;
  readonly ageLimitMs: number;
  /** The newest change of the person in these groups; changes that no account took are skipped. */
  readonly latest: { readonly at: Date; readonly same: boolean } | null;
  /** The known passwords of the account, newest first. */
  readonly held: readonly Held[];
  /** True when the sender reports the password at every sign-in, not only when it changes. */
  readonly repeats: boolean;
  /** True when the current password has to be verified and the capture does not include it. */
  readonly currentMissing: boolean;
  /** True for a candidate password that a login did not confirm: the source may have refused it. */
  readonly unconfirmed: boolean;
}

export interface CapturedSource {
  readonly enabled: boolean;
  readonly captures: boolean;
  /** True while an operator has stopped the captures of the source. */
  readonly stopped: boolean;
  readonly forms: readonly Form[];
}

export interface CapturedAdapter {
  /** What the capture may change; null for nothing. */
  readonly sync: InboundSync | null;
  /** How the account takes part in what the adapter synchronizes. */
  readonly use: AdapterUse;
}

interface CaptureRule {
  readonly says: string;
  readonly applies: (facts: CaptureFacts) => boolean;
}

/**
 * The reasons for which a capture starts no change (reference semantics §6, rules 7, 11 to 15 and 26). The first rule
 * that applies is the reason. A reason that is an error code too refuses the capture; with any other, the sender gets a
 * success, because there is nothing to correct.
 */
export const captureRules = {
  capture_disabled: {
    says: 'The source accepts no captures.',
    applies: ({ source }) => source === null || !source.enabled || !source.captures,
  },
  sync_not_allowed: {
    says: 'The adapter of the source may not report passwords.',
    applies: ({ adapter }) => adapter?.sync === null,
  },
  captures_stopped: {
    says: 'An operator has stopped the captures of the source.',
    applies: ({ source }) => source?.stopped === true,
  },
  form_not_taken: {
    says: 'The source is configured to provide passwords in another form.',
    applies: ({ source, form }) => source?.forms.includes(form) !== true,
  },
  unmapped: {
    says: 'The account is not linked to a person, or a change of that person would not include it.',
    applies: ({ takesPart, adapter }) => !takesPart || adapter?.use === 'not_mapped',
  },
  mapping_disabled: {
    says: 'The mapping of the account is disabled.',
    applies: ({ adapter }) => adapter?.use === 'mapping_disabled',
  },
  application_disabled: {
    says: 'The application of the account is disabled.',
    applies: ({ adapter }) => adapter?.use === 'application_disabled',
  },
  before_startpoint: {
    says: 'The password was changed before the startpoint that was set for the source.',
    applies: ({ capturedAt, notBefore }) => notBefore !== null && capturedAt < notBefore,
  },
  expired: {
    says: 'The password was changed longer ago than the age limit.',
    applies: ({ capturedAt, now, ageLimitMs }) => msFrom(capturedAt, now) >= ageLimitMs,
  },
  stale: {
    says: 'The password was changed before the latest change of this person was accepted, which is kept.',
    applies: ({ capturedAt, latest }) => latest !== null && capturedAt < latest.at,
  },
  echo: {
    says: 'Lockstep itself wrote this password to the account.',
    applies: ({ capturedAt, held, hashedThere }) =>
      maybeHeldAt(held, capturedAt).some(
        ({ at, native, same }) => same && !native && msFrom(at, capturedAt) <= DAMPING_MS,
      ) ||
      (hashedThere && held.some(({ at, native }) => !native && isDuringWrite(at, capturedAt))),
  },
  duplicate: {
    says: 'The latest change of this person has the same password.',
    applies: ({ capturedAt, latest, repeats }) =>
      latest?.same === true && (repeats || msFrom(latest.at, capturedAt) <= DAMPING_MS),
  },
  current_password_missing: {
    says: 'The capture does not include the current password, which this source has to send.',
    applies: ({ currentMissing }) => currentMissing,
  },
  unconfirmed: {
    says: 'The password was a candidate, and no login shows that the source accepted it.',
    applies: ({ unconfirmed }) => unconfirmed,
  },
} as const satisfies Record<string, CaptureRule>;

export type Declined = keyof typeof captureRules;

const ruleEntries = Object.entries(captureRules) as [Declined, CaptureRule][];

export const evaluateCapture = (facts: CaptureFacts): Declined | 'accept' =>
  ruleEntries.find(([, rule]) => rule.applies(facts))?.[0] ?? 'accept';

/**
 * True when the capture was hashed while Lockstep wrote the account: the hash is then of that write, or of a password
 * that the write has replaced.
 * @param doneAt when the write ended
 */
function isDuringWrite(doneAt: Date, capturedAt: Date): boolean {
  const sinceMs = msFrom(doneAt, capturedAt);
  return sinceMs > -WRITE_MS && sinceMs <= CLOCKS_AGREE_MS;
}

/**
 * The passwords that the account may have held at that time: the last one that was surely in force by then, and every
 * later one. A password that a person set in the source hides the earlier ones: A, then B, then A again are three
 * changes.
 */
function maybeHeldAt(held: readonly Held[], when: Date): readonly Held[] {
  const last = held.findIndex(
    ({ at, native }) => msFrom(at, when) >= (native ? 0 : CLOCKS_AGREE_MS),
  );
  return last === -1 ? held : held.slice(0, last + 1);
}

const msFrom = (earlier: Date, later: Date): number => later.getTime() - earlier.getTime();
