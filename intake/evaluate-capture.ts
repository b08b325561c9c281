import { type CaptureFacts, type Declined, evaluateCapture } from '../model/captures/capture';
import { planChange } from '../model/change/plan';
import {
  type Configuration,
  groupsFrom,
  sourceNamed,
  sourcesOf,
} from '../model/configuration/document';
import type { Group } from '../model/configuration/group';
import { type ErrorCode, isErrorCode } from '../model/errors';
import { readSecret } from '../model/hashes/encoding';
import type { Passwords } from '../sealing/passwords';
import { type Caller, mayTouch } from '../store/api-keys';
import { readCaptureControl } from '../store/captures/control';
import { readRememberedPasswords } from '../store/captures/fingerprints';
import type { IdentityAtIntake } from '../store/people/identities';
import type { IntakeDependencies } from './dependencies';
import { passwordFingerprint, saltFingerprints } from './fingerprint';
import { IntakeRejected } from './rejected';
import { hashedAs } from './returning-scheme';

/** A password was changed in a source itself. */
export interface Capture {
  readonly source: string;
  readonly account: string;
  /** By the clock of whoever captured it. */
  readonly capturedAt: Date;
  /** Whoever captures tells the same password again and again: at every sign-in, not only when it changes. */
  readonly repeats?: boolean;
  /** It was a candidate: whether the source took it, found out with a login. */
  readonly confirm?: () => Promise<boolean>;
}

/** Where a change comes from. */
export interface Origin {
  readonly accountId: string;
  /** From which its age is counted. */
  readonly capturedAt: Date;
  readonly group: string;
  /** Whether the auth account is asked first if it holds the current password. */
  readonly checksCurrent: boolean;
  /** Accounts may hold the password already, so each is looked at before it is written. */
  readonly looksFirst: boolean;
}

/** Nothing is started, and nothing is wrong. Thrown like a refusal, which it is not. */
export class CaptureDeclined extends Error {
  readonly why: Quiet;

  constructor(why: Quiet) {
    super(why);
    this.why = why;
  }
}

export type Quiet = Exclude<Declined, ErrorCode>;

/**
 * Whether a capture starts a change. Its source is judged before anything else, so that whoever may not capture there
 * learns nothing about people.
 * @throws IntakeRejected, CaptureDeclined when it does not
 */
export async function evaluate(
  deps: IntakeDependencies,
  caller: Caller,
  capture: Capture,
  identity: IdentityAtIntake | null,
  passwords: Passwords,
): Promise<Origin> {
  // Without a person there is no version to wait for: then the newest is read.
  const { configuration } = await deps.configuration(identity?.configurationVersion);
  const source = sourceNamed(configuration, capture.source);
  const groups = groupsFrom(configuration, capture.source);
  const checksCurrent =
    source?.capture?.verifyCurrent === true && groups[0]?.authSource !== capture.source;
  const control = await readCaptureControl(deps.db, capture.source);
  const about =
    identity === null
      ? unmapped(capture)
      : await comparedWith(deps, configuration, groups, capture, identity, passwords);
  const facts: CaptureFacts = {
    ...about,
    source:
      source !== undefined && mayTouch(caller, { groups: groups.map(({ name }) => name) })
        ? {
            enabled: source.enabled,
            captures: source.capture?.enabled === true,
            stopped: control !== null && control.stoppedAt !== null,
            forms: source.capture?.forms ?? [],
          }
        : null,
    form: passwords.form,
    hashedThere:
      passwords.form !== 'plaintext' && source !== undefined && hashedAs(source) === null,
    notBefore: control?.startpoint?.notBefore ?? null,
    ageLimitMs: deps.settings.ageLimitMs,
    currentMissing: checksCurrent && passwords.current === null,
    unconfirmed: false,
  };
  const verdict = await confirmed(facts, capture);
  if (verdict !== 'accept')
    throw isErrorCode(verdict) ? new IntakeRejected(verdict) : new CaptureDeclined(verdict);
  const { accountId, capturedAt, repeats, forgotten } = about;
  const looksFirst = repeats && forgotten;
  return { accountId, capturedAt, group: groups[0]?.name ?? '', checksCurrent, looksFirst };
}

/** Nobody is logged in for what comes to nothing anyway. */
async function confirmed(facts: CaptureFacts, { confirm }: Capture): Promise<Declined | 'accept'> {
  const verdict = evaluateCapture(facts);
  if (verdict !== 'accept' || confirm === undefined) return verdict;
  return evaluateCapture({ ...facts, unconfirmed: !(await confirm()) });
}

type About = Pick<
  CaptureFacts,
  'takesPart' | 'capturedAt' | 'now' | 'latest' | 'held' | 'repeats'
> & {
  readonly accountId: string;
  /** Whether it is the latest password of the person is not known, or not any more. */
  readonly forgotten: boolean;
};

const unmapped = ({ capturedAt, repeats = false }: Capture): About => ({
  accountId: '',
  takesPart: false,
  capturedAt,
  repeats,
  forgotten: true,
  now: capturedAt,
  latest: null,
  held: [],
});

async function comparedWith(
  { db, settings }: IntakeDependencies,
  configuration: Configuration,
  groups: readonly Group[],
  capture: Capture,
  { id, now, accounts }: IdentityAtIntake,
  { next, form }: Passwords,
): Promise<About> {
  const accountId =
    accounts.find(({ source, name }) => source === capture.source && name === capture.account)
      ?.id ?? '';
  const names = groups.map(({ name }) => name);
  const { latest, held } = await readRememberedPasswords(db, id, accountId, names);
  const { fingerprintKey } = settings;
  const hash = form === 'plaintext' ? null : readSecret(next);
  const captured = [
    passwordFingerprint(fingerprintKey, id, next),
    ...(hash === null ? [] : saltFingerprints(fingerprintKey, id, hash.salt)),
  ];
  const isSame = (known: Buffer | undefined) =>
    known !== undefined && captured.some((one) => one.equals(known));
  const plan = planChange({ groups, sources: sourcesOf(configuration), accounts });
  return {
    accountId,
    takesPart: plan.some((one) => one.accountId === accountId && one.leftOut === null),
    // Nothing is captured before it happened: a clock that runs ahead would win for ever.
    capturedAt: capture.capturedAt < now ? capture.capturedAt : now,
    now,
    repeats: capture.repeats === true,
    forgotten: !latest?.fingerprints,
    // What filters of sources made of it is another password, unless a source is heard to repeat it.
    latest: latest && { at: latest.at, same: isSame(latest.fingerprints?.[0]) },
    held: held.map(({ at, native, fingerprints }) => ({
      at,
      native,
      same: fingerprints?.some(isSame) === true,
    })),
  };
}
