import type { Form } from '../hashes/encoding';

/**
 * A capture tells that a password was changed in a source itself, past Lockstep. It says when, by a clock that is not
 * ours, and it may be late, come twice, or be of a password that we wrote there.
 */

/** The same value again within this time is one change (reference semantics §6.13). */
export const DAMPING_MS = 10 * 60_000;

/** Whoever captures keeps time with the database this well. */
export const CLOCKS_AGREE_MS = 1_000;

/** No write takes longer, with its proof. */
const WRITE_MS = 40_000;

/** One password that an account held, as far as we know of it. */
export interface Held {
  /** When we were done with writing it; of one that was changed there, when, by the clock of the captures. */
  readonly at: Date;
  /** It was changed there, after all that we had written before. */
  readonly native: boolean;
  /** It is the captured password. */
  readonly same: boolean;
}

export interface CaptureFacts {
  /** Null when it is in no configuration, or not for whoever captured. */
  readonly source: CapturedSource | null;
  readonly form: Form;
  /** It is a hash that the source makes itself of what we write: nobody can compare it. */
  readonly hashedThere: boolean;
  /** Somebody is linked to the account, and a change of theirs would include it. */
  readonly takesPart: boolean;
  /** Not after `now`. */
  readonly capturedAt: Date;
  /** What was captured earlier does not count; null: everything does. */
  readonly notBefore: Date | null;
  /** By the clock of the database. */
  readonly now: Date;
  readonly ageLimitMs: number;
  /** The newest change of the person in these groups, unless it ended in vain. */
  readonly latest: { readonly at: Date; readonly same: boolean } | null;
  /** What is known of the account, the newest first. */
  readonly held: readonly Held[];
  /** Whoever captures tells the password at every sign-in, not only when it changes. */
  readonly repeats: boolean;
  /** The current password has to be checked, and is not there. */
  readonly currentMissing: boolean;
  /** It was a candidate, and no login shows that the source took it. */
  readonly unconfirmed: boolean;
}

export interface CapturedSource {
  readonly enabled: boolean;
  readonly captures: boolean;
  /** An operator has stopped them for a while. */
  readonly stopped: boolean;
  readonly forms: readonly Form[];
}

interface CaptureRule {
  readonly says: string;
  readonly applies: (facts: CaptureFacts) => boolean;
}

/**
 * Why nothing is started. The first that applies is told (reference semantics §6, rules 7, 11 to 15 and 26). Those that
 * are error codes too are refused; of the others whoever captured need know no more.
 */
export const captureRules = {
  capture_disabled: {
    says: 'The source takes no captures.',
    applies: ({ source }) => source === null || !source.enabled || !source.captures,
  },
  captures_stopped: {
    says: 'The captures of the source are stopped for a while.',
    applies: ({ source }) => source?.stopped === true,
  },
  form_not_taken: {
    says: 'The source gives passwords in another form.',
    applies: ({ source, form }) => source?.forms.includes(form) !== true,
  },
  unmapped: {
    says: 'Nobody is linked to the account, or it takes no part in a group.',
    applies: ({ takesPart }) => !takesPart,
  },
  before_startpoint: {
    says: 'The password was changed before the startpoint that was set for the source.',
    applies: ({ capturedAt, notBefore }) => notBefore !== null && capturedAt < notBefore,
  },
  expired: {
    says: 'The password was changed too long ago.',
    applies: ({ capturedAt, now, ageLimitMs }) => msFrom(capturedAt, now) >= ageLimitMs,
  },
  stale: {
    says: 'The password was changed before the latest change of this person was accepted, which stays.',
    applies: ({ capturedAt, latest }) => latest !== null && capturedAt < latest.at,
  },
  echo: {
    says: 'Lockstep wrote this password there itself.',
    applies: ({ capturedAt, held, hashedThere }) =>
      maybeHeldAt(held, capturedAt).some(
        ({ at, native, same }) => same && !native && msFrom(at, capturedAt) <= DAMPING_MS,
      ) ||
      (hashedThere && held.some(({ at, native }) => !native && isDuringWrite(at, capturedAt))),
  },
  duplicate: {
    says: 'The latest change of this person is to the same password.',
    applies: ({ capturedAt, latest, repeats }) =>
      latest?.same === true && (repeats || msFrom(latest.at, capturedAt) <= DAMPING_MS),
  },
  current_password_missing: {
    says: 'The source has to send the current password along.',
    applies: ({ currentMissing }) => currentMissing,
  },
  unconfirmed: {
    says: 'It was a candidate, and no login shows that the source took it.',
    applies: ({ unconfirmed }) => unconfirmed,
  },
} as const satisfies Record<string, CaptureRule>;

export type Declined = keyof typeof captureRules;

const ruleEntries = Object.entries(captureRules) as [Declined, CaptureRule][];

export const evaluateCapture = (facts: CaptureFacts): Declined | 'accept' =>
  ruleEntries.find(([, rule]) => rule.applies(facts))?.[0] ?? 'accept';

/**
 * It was hashed while we wrote: then it is ours, or one that ours has replaced.
 * @param doneAt when we were done with writing
 */
function isDuringWrite(doneAt: Date, capturedAt: Date): boolean {
  const sinceMs = msFrom(doneAt, capturedAt);
  return sinceMs > -WRITE_MS && sinceMs <= CLOCKS_AGREE_MS;
}

/**
 * What the account may have held at that time: the last that had surely begun to be its password by then, and all that
 * came later. What a person changed there covers what was before: A, then B, then A again are three changes.
 */
function maybeHeldAt(held: readonly Held[], when: Date): readonly Held[] {
  const last = held.findIndex(
    ({ at, native }) => msFrom(at, when) >= (native ? 0 : CLOCKS_AGREE_MS),
  );
  return last === -1 ? held : held.slice(0, last + 1);
}

const msFrom = (earlier: Date, later: Date): number => later.getTime() - earlier.getTime();
