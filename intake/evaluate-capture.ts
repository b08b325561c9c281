import { type CaptureFacts, type Declined, evaluateCapture } from '../model/captures/capture';
import { type AdapterUse, adapterUse } from '../model/change/adapter-rules';
import { planChange } from '../model/change/plan';
import { type InboundSync, inboundSync } from '../model/configuration/adapter';
import {
  type Configuration,
  groupsFrom,
  sourceNamed,
  sourcesOf,
} from '../model/configuration/document';
import type { Group } from '../model/configuration/group';
import { type ErrorCode, isErrorCode } from '../model/errors';
import { readSecret } from '../model/hashes/encoding';
import { isSameName } from '../model/people/naming';
import type { Passwords } from '../sealing/passwords';
import { type Caller, mayTouch } from '../store/api-keys';
import { readCaptureControl } from '../store/captures/control';
import { readRememberedPasswords } from '../store/captures/fingerprints';
import type { IdentityAtIntake } from '../store/people/identities';
import type { IntakeDependencies } from './dependencies';
import { rulesIn } from './find-person';
import { passwordFingerprint, saltFingerprints } from './fingerprint';
import { IntakeRejected } from './rejected';
import { hashedAs } from './returning-scheme';

/** The report that a password was changed in a source itself. */
export interface Capture {
  readonly source: string;
  readonly account: string;
  /** When the password was changed, by the clock of the capture agent. */
  readonly capturedAt: Date;
  /** True when the sender gave no time. The capture counts from its acceptance, and its time is no part of the request. */
  readonly undated?: boolean;
  /** True when the sender reports the password at every sign-in, not only when it changes. */
  readonly repeats?: boolean;
  /** Set for a candidate password, which the source may have refused: verifies by a login that the account holds it. */
  readonly confirm?: () => Promise<boolean>;
}

/** The account in which a change began. */
export interface Origin {
  readonly accountId: string;
  /** The age of the change is counted from this time. */
  readonly capturedAt: Date;
  readonly group: string;
  /** True when the current password is verified at the auth account first. */
  readonly checksCurrent: boolean;
  /** True when the current password is compared with the stored credential of the account first. */
  readonly checksStored?: boolean;
  /** True when accounts may already hold the password, so that each is verified before it is written. */
  readonly looksFirst: boolean;
  /** True when the change only updates the stored credential of this account. */
  readonly partial?: boolean;
}

/** Thrown when a capture starts no change and that is not an error, such as the echo of a write of Lockstep. */
export class CaptureDeclined extends Error {
  readonly why: Quiet;

  constructor(why: Quiet) {
    super(why);
    this.why = why;
  }
}

export type Quiet = Exclude<Declined, ErrorCode>;

/**
 * Decides whether a capture starts a change, by the rules of `model/captures/capture.ts`. The source is checked before
 * anything else, so that a caller that may not capture there learns nothing about people.
 * @returns the origin of the change
 * @throws IntakeRejected when the capture is refused, CaptureDeclined when it starts no change
 */
export async function evaluate(
  deps: IntakeDependencies,
  caller: Caller,
  capture: Capture,
  identity: IdentityAtIntake | null,
  passwords: Passwords,
): Promise<Origin> {
  // An unknown person has no version to wait for, so the newest configuration is read.
  const { configuration } = await deps.configuration(identity?.configurationVersion);
  const source = sourceNamed(configuration, capture.source);
  const groups = groupsFrom(configuration, capture.source);
  const checksCurrent =
    source?.capture?.verifyCurrent === true && groups[0]?.authSource !== capture.source;
  const checksStored = source?.adapter?.verifyOldPassword === true;
  const sync = source?.adapter && inboundSync(source.adapter, configuration.sso.switches);
  const control = await readCaptureControl(deps.db, capture.source);
  const mayCapture =
    source !== undefined && mayTouch(caller, { groups: groups.map(({ name }) => name) });
  // Nothing is read about a person whom the caller may not change, because the time of the answer would show it.
  const about =
    identity === null || !mayCapture
      ? unmapped(capture)
      : await comparedWith(deps, configuration, groups, capture, identity, passwords, sync);
  const facts: CaptureFacts = {
    ...about,
    source:
      source !== undefined && mayCapture
        ? {
            enabled: source.enabled,
            captures: source.capture?.enabled === true,
            stopped: control !== null && control.stoppedAt !== null,
            forms: source.capture?.forms ?? [],
          }
        : null,
    adapter: sync === undefined ? null : { sync, use: about.use },
    form: passwords.form,
    hashedThere:
      passwords.form !== 'plaintext' && source !== undefined && hashedAs(source) === null,
    notBefore: control?.startpoint?.notBefore ?? null,
    ageLimitMs: deps.settings.ageLimitMs,
    currentMissing: (checksCurrent || checksStored) && passwords.current === null,
    unconfirmed: false,
  };
  const verdict = await confirmed(facts, capture);
  if (verdict !== 'accept')
    throw isErrorCode(verdict) ? new IntakeRejected(verdict) : new CaptureDeclined(verdict);
  const { accountId, capturedAt, repeats, forgotten } = about;
  return {
    accountId,
    capturedAt,
    group: groups[0]?.name ?? '',
    checksCurrent,
    checksStored,
    looksFirst: repeats && forgotten,
    partial: sync === 'partial',
  };
}

/** Evaluates the rules, and skips the confirming login when the capture is declined anyway. */
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
  /** How the account takes part in what an adapter synchronizes; `not_mapped` for other sources. */
  readonly use: AdapterUse;
  /** True when Lockstep does not know, or no longer knows, the latest password of the person. */
  readonly forgotten: boolean;
};

const unmapped = ({ capturedAt, repeats = false }: Capture): About => ({
  accountId: '',
  use: 'not_mapped',
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
  sync: InboundSync | null | undefined,
): Promise<About> {
  const { naming } = rulesIn(configuration, capture.source);
  const captured =
    accounts.find(
      ({ source, name }) => source === capture.source && isSameName(naming, name, capture.account),
    ) ?? null;
  // A link with a problem may name the account of another person, whose password this would be. An account that was
  // missing at the last read is asked for again before the change is planned (`isOriginConfirmed`).
  const accountId =
    captured?.problem === null || captured?.problem === 'no_account' ? captured.id : '';
  const names = groups.map(({ name }) => name);
  const { latest, held } = await readRememberedPasswords(
    db,
    id,
    accountId,
    names,
    sync === 'partial',
  );
  const { fingerprintKey } = settings;
  const hash = form === 'plaintext' ? null : readSecret(next);
  const reported = [
    passwordFingerprint(fingerprintKey, id, next),
    ...(hash === null ? [] : saltFingerprints(fingerprintKey, id, hash.salt)),
  ];
  const isSame = (stored: Buffer | undefined) =>
    stored !== undefined && reported.some((fingerprint) => fingerprint.equals(stored));
  const sources = sourcesOf(configuration);
  const adapter = sources.find(({ name }) => name === capture.source)?.adapter;
  const plan = planChange({ groups, sources, accounts, originAccountId: accountId });
  return {
    accountId,
    use: adapter === undefined ? 'not_mapped' : adapterUse(adapter, captured ?? {}),
    // A partial change includes no other account than this one.
    takesPart:
      sync === 'partial'
        ? accountId !== ''
        : plan.some((account) => account.accountId === accountId && account.leftOut === null),
    // A capture cannot be of the future: a clock that runs ahead would otherwise win over every later change.
    capturedAt: capture.undated !== true && capture.capturedAt < now ? capture.capturedAt : now,
    now,
    repeats: capture.repeats === true,
    forgotten: !latest?.fingerprints,
    // Only the password itself counts here (the first fingerprint); what the filters made of it may come back in
    // `held`.
    latest: latest && { at: latest.at, same: isSame(latest.fingerprints?.[0]) },
    held: held.map(({ at, native, fingerprints }) => ({
      at,
      native,
      same: fingerprints?.some(isSame) === true,
    })),
  };
}
