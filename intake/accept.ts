import { timingSafeEqual } from 'node:crypto';
import { filtersIn } from '../model/configuration/account-filter';
import { type Configuration, policiesOf } from '../model/configuration/document';
import type { Group } from '../model/configuration/group';
import { layoutOf } from '../model/hashes/encoding';
import { saltFor } from '../model/hashes/salt';
import type { Secret } from '../model/passwords/secret';
import type { Violation } from '../model/policy/checks';
import { rewrite } from '../model/policy/password-filter';
import { destroyPasswords, type Passwords, seal, withNormalized } from '../sealing/passwords';
import type { Caller } from '../store/api-keys';
import { type Accepted, acceptChange, findRepeated, type NewChange } from '../store/changes/accept';
import { type AcceptedOrigin, countAccepted } from '../store/changes/counters';
import type { ChangeView } from '../store/changes/read';
import { newId } from '../store/ids';
import type { IdentityAtIntake } from '../store/people/identities';
import { beginTrace, traced } from '../telemetry/spans';
import { reachedBy } from './covered-groups';
import type { IntakeDependencies } from './dependencies';
import { type Capture, CaptureDeclined, evaluate, type Origin } from './evaluate-capture';
import { findPerson } from './find-person';
import { fingerprintOf, passwordFingerprint, saltFingerprints } from './fingerprint';
import type { WhichPerson } from './person-reference';
import { IntakeRejected } from './rejected';
import { hashedAs } from './returning-scheme';

export interface WantedChange {
  readonly person: WhichPerson;
  readonly group: string | null;
  readonly passwords: Passwords;
  readonly idempotencyKey: string | null;
  /** The capture that reports the new password; null when a caller requested the change. */
  readonly capture: Capture | null;
  /** Set when a login has just shown that the auth account holds the password. */
  readonly proved?: Proved;
}

/**
 * An account that was verified by a login while `lastSeq` was the sequence number of the latest change of its person.
 */
export interface Proved extends Origin {
  readonly lastSeq: number;
}

export type AcceptedRequest =
  | { readonly replayed: false; readonly change: ChangeView }
  | { readonly replayed: true; readonly changeId: string };

/**
 * Accepts a new password: normalizes it if it is plaintext, checks it, seals it and stores the change, which is durable
 * when this returns (I1). The passwords are destroyed by then, also after an error. The next step is
 * `workflows/change-password.ts`: `acceptChange` notifies the dispatcher, which starts it from the stored row.
 * @throws IntakeRejected when the request is refused, CaptureDeclined when a capture starts no change
 */
export const acceptRequest = (
  deps: IntakeDependencies,
  caller: Caller,
  asTyped: WantedChange,
): Promise<AcceptedRequest> => traced('accept', {}, () => acceptOnce(deps, caller, asTyped));

async function acceptOnce(
  deps: IntakeDependencies,
  caller: Caller,
  asTyped: WantedChange,
): Promise<AcceptedRequest> {
  const isHeld = asTyped.capture !== null || asTyped.proved !== undefined;
  const passwords = withNormalized(asTyped.passwords, isHeld);
  const wanted = { ...asTyped, passwords };
  try {
    const fingerprint = fingerprintFor(deps, wanted);
    // The loop ends: it repeats only after another change of this person was accepted, or an epoch ended.
    for (let again = false; ; again = true) {
      const [identity, earlier] = await Promise.all([
        findPerson(deps, caller, wanted.person),
        findEarlier(deps, caller, wanted),
      ]);
      if (earlier !== null) return replay(earlier, fingerprint);
      const change = await prepare(deps, caller, wanted, identity, again);
      const accepted = await acceptChange(deps.db, { ...change, fingerprint });
      if (accepted.result === 'repeated') return replay(accepted, fingerprint);
      if (accepted.result === 'accepted') {
        countAccepted(originOf(wanted));
        beginTrace(change.id);
        return { replayed: false, change: viewOf(change, accepted.createdAt) };
      }
    }
  } finally {
    passwords.next.destroy();
    destroyPasswords(asTyped.passwords);
  }
}

const originOf = ({ capture, proved }: WantedChange): AcceptedOrigin =>
  proved !== undefined ? 'sign_in' : capture === null ? 'request' : 'capture';

function fingerprintFor(
  { settings }: IntakeDependencies,
  { idempotencyKey, person, group, passwords, capture }: WantedChange,
): Buffer | null {
  if (idempotencyKey === null) return null;
  const whom = 'name' in person ? [person.name] : [person.source, person.account];
  const isDated = capture !== null && capture.undated !== true;
  const when = isDated ? [capture.capturedAt.toISOString()] : [];
  const secrets = [passwords.next, passwords.current];
  return fingerprintOf(settings.fingerprintKey, [group, ...whom, ...when], secrets);
}

type Repeated = Extract<Accepted, { result: 'repeated' }>;

const findEarlier = async (
  { db }: IntakeDependencies,
  { keyId }: Caller,
  { idempotencyKey }: WantedChange,
): Promise<Repeated | null> =>
  idempotencyKey === null ? null : findRepeated(db, keyId, idempotencyKey);

function replay(earlier: Repeated, fingerprint: Buffer | null): AcceptedRequest {
  const same =
    fingerprint !== null &&
    fingerprint.length === earlier.fingerprint?.length &&
    timingSafeEqual(fingerprint, earlier.fingerprint);
  if (!same) throw new IntakeRejected('idempotency_conflict');
  return { replayed: true, changeId: earlier.changeId };
}

/** Makes the change that is to be stored: all checks, the plan of its groups and the sealed password. */
async function prepare(
  deps: IntakeDependencies,
  caller: Caller,
  wanted: WantedChange,
  identity: IdentityAtIntake | null,
  again: boolean,
): Promise<Omit<NewChange, 'fingerprint'>> {
  const { passwords, idempotencyKey, capture, person, proved } = wanted;
  // A change that was accepted after the login is newer than the verified password.
  if (proved !== undefined && proved.lastSeq !== identity?.lastSeq)
    throw new CaptureDeclined('stale');
  const origin =
    proved ?? (capture && (await evaluate(deps, caller, capture, identity, passwords)));
  const who = { person, group: origin?.group ?? wanted.group };
  const { version, configuration, groups } = await reachedBy(deps, caller, who, identity);
  if (identity === null) throw new IntakeRejected('identity_unknown');
  // A policy cannot check a hash. The form of the change shows that it was not checked. A partial change writes no
  // account: the password is in force in its source already, whatever the policy.
  const broken =
    passwords.form === 'plaintext' && origin?.partial !== true
      ? await violationsOf(deps, configuration, groups, identity, passwords.next)
      : [];
  if (broken.length > 0)
    throw new IntakeRejected('password_against_policy', { violations: broken });

  const key = await deps.keyToSealTo(identity.now, again);
  if (key === null) throw new IntakeRejected('no_epoch');
  const sealedFor = {
    changeId: newId('chg'),
    identityId: identity.id,
    seq: identity.lastSeq + 1,
    expiresAt: new Date((origin?.capturedAt ?? identity.now).getTime() + deps.settings.ageLimitMs),
  };
  const keepsCurrent = origin === null || origin.checksCurrent || origin.checksStored;
  const current = keepsCurrent ? passwords.current : null;
  const { changeId: id, ...rest } = sealedFor;
  return {
    ...rest,
    id,
    identityName: identity.name,
    groups: groups.map(({ name }) => name),
    requestedBy: caller,
    idempotencyKey,
    configurationVersion: version,
    epochId: key.epochId,
    form: passwords.form,
    jwe: await seal(key, sealedFor, { ...passwords, current }),
    origin,
    passwordFingerprints: fingerprintsOf(deps, configuration, groups, identity, passwords),
  };
}

/**
 * The fingerprints by which a later capture is recognised as this change: of the password, of what password filters
 * make of it, and of the salts of the hashes that Lockstep writes. Null when no source of the groups is captured.
 */
function fingerprintsOf(
  { settings: { fingerprintKey } }: IntakeDependencies,
  configuration: Configuration,
  groups: readonly Group[],
  identity: IdentityAtIntake,
  passwords: Passwords,
): Buffer[] | null {
  const captured = groups
    .flatMap((group) => group.sources)
    .flatMap((name) => {
      const source = configuration.sources[name];
      return source?.capture?.enabled === true ? [{ name, source }] : [];
    });
  if (captured.length === 0) return null;
  const { id, accounts } = identity;
  const fingerprint = (value: Secret) => passwordFingerprint(fingerprintKey, id, value);
  const { next, form, seed } = passwords;
  if (form !== 'plaintext') return [fingerprint(next)];
  const filtered = captured
    .flatMap(({ name }) => filtersIn(configuration, name))
    .flatMap((filter) => {
      const written = filter && rewrite(filter, next);
      if (written === null) return [];
      const ofFiltered = fingerprint(written);
      written.destroy();
      return [ofFiltered];
    });
  const salts = captured.flatMap(({ name, source }) => {
    const scheme = hashedAs(source);
    return scheme === null
      ? []
      : accounts
          .filter((account) => account.source === name)
          .map((account) => layoutOf(scheme).salt(saltFor(seed, account.id)))
          .flatMap((salt) => saltFingerprints(fingerprintKey, id, salt));
  });
  return [fingerprint(next), ...filtered, ...salts];
}

/** The broken rules of all groups together, so that the person sees all of them at once. */
export async function violationsOf(
  { policyChecker }: IntakeDependencies,
  configuration: Configuration,
  groups: readonly Group[],
  person: Pick<IdentityAtIntake, 'name' | 'attributes' | 'accounts'>,
  password: Secret,
): Promise<Violation[]> {
  const names = new Set(groups.map(({ policy }) => policy));
  const policies = policiesOf(configuration).filter(({ name }) => names.has(name));
  const broken = await Promise.all(
    policies.map(({ rules }) => policyChecker.violations(rules, person, password)),
  );
  const bySentence = broken.flat().map((violation) => [violation.says, violation] as const);
  return [...new Map<string, Violation>(bySentence).values()];
}

/** The view of a change that was stored a moment ago, so nothing can have happened to it yet. */
const viewOf = (change: Omit<NewChange, 'fingerprint'>, createdAt: Date): ChangeView => ({
  id: change.id,
  identity: change.identityName,
  seq: change.seq,
  groups: change.groups,
  state: 'accepted',
  reason: null,
  requestedBy: change.requestedBy.name,
  form: change.form,
  partial: change.origin?.partial === true,
  capturedAt: change.origin?.capturedAt ?? null,
  createdAt,
  expiresAt: change.expiresAt,
  endedAt: null,
  accounts: [],
  mappings: [],
});
