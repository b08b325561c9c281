import { timingSafeEqual } from 'node:crypto';
import { type Configuration, policiesOf } from '../model/configuration/document';
import type { Group } from '../model/configuration/group';
import { layoutOf } from '../model/hashes/encoding';
import { saltFor } from '../model/hashes/salt';
import type { Secret } from '../model/passwords/secret';
import { rewrite } from '../model/policy/password-filter';
import type { Violation } from '../model/policy/violations';
import { destroyPasswords, type Passwords, seal } from '../sealing/passwords';
import type { Caller } from '../store/api-keys';
import { type Accepted, acceptChange, findRepeated, type NewChange } from '../store/changes/accept';
import type { ChangeView } from '../store/changes/read';
import { newId } from '../store/ids';
import { findIdentity, type IdentityAtIntake } from '../store/people/identities';
import { reachedBy } from './covered-groups';
import type { IntakeDependencies } from './dependencies';
import { type Capture, CaptureDeclined, evaluate, type Origin } from './evaluate-capture';
import { fingerprintOf, passwordFingerprint, saltFingerprints } from './fingerprint';
import type { WhichPerson } from './person-reference';
import { IntakeRejected } from './rejected';
import { hashedAs } from './returning-scheme';

export interface WantedChange {
  readonly person: WhichPerson;
  readonly group: string | null;
  readonly passwords: Passwords;
  readonly idempotencyKey: string | null;
  /** Null when the change was asked for. */
  readonly capture: Capture | null;
  /** The auth account was just asked, and holds the password. */
  readonly proved?: Proved;
}

/** What was proved, of an account, at a time when this was the last change of its person. */
export interface Proved extends Origin {
  readonly lastSeq: number;
}

export type AcceptedRequest =
  | { readonly replayed: false; readonly change: ChangeView }
  | { readonly replayed: true; readonly changeId: string };

/**
 * Takes a new password in: checked, sealed, and durable when this returns (I1). The passwords are destroyed by then,
 * whatever came of it.
 * @throws IntakeRejected, CaptureDeclined when nothing was accepted
 */
export async function acceptRequest(
  deps: IntakeDependencies,
  caller: Caller,
  wanted: WantedChange,
): Promise<AcceptedRequest> {
  try {
    const fingerprint = fingerprintFor(deps, wanted);
    // It ends: who is outdated is so because another change of this person was accepted, or an epoch has ended.
    for (let again = false; ; again = true) {
      const [identity, earlier] = await Promise.all([
        findIdentity(deps.db, wanted.person),
        findEarlier(deps, caller, wanted),
      ]);
      if (earlier !== null) return replay(earlier, fingerprint);
      const change = await prepare(deps, caller, wanted, identity, again);
      const accepted = await acceptChange(deps.db, { ...change, fingerprint });
      if (accepted.result === 'repeated') return replay(accepted, fingerprint);
      if (accepted.result === 'accepted')
        return { replayed: false, change: viewOf(change, accepted.createdAt) };
    }
  } finally {
    destroyPasswords(wanted.passwords);
  }
}

function fingerprintFor(
  { settings }: IntakeDependencies,
  { idempotencyKey, person, group, passwords, capture }: WantedChange,
): Buffer | null {
  if (idempotencyKey === null) return null;
  const whom = 'name' in person ? [person.name] : [person.source, person.account];
  const when = capture === null ? [] : [capture.capturedAt.toISOString()];
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

/** Everything but the writing. */
async function prepare(
  deps: IntakeDependencies,
  caller: Caller,
  wanted: WantedChange,
  identity: IdentityAtIntake | null,
  again: boolean,
): Promise<Omit<NewChange, 'fingerprint'>> {
  const { passwords, idempotencyKey, capture, person, proved } = wanted;
  // What was accepted meanwhile is newer than what was proved.
  if (proved !== undefined && proved.lastSeq !== identity?.lastSeq)
    throw new CaptureDeclined('stale');
  const origin =
    proved ?? (capture && (await evaluate(deps, caller, capture, identity, passwords)));
  const who = { person, group: origin?.group ?? wanted.group };
  const { version, configuration, groups } = await reachedBy(deps, caller, who, identity);
  if (identity === null) throw new IntakeRejected('identity_unknown');
  // What cannot be read cannot be judged: the change says that it was not.
  const broken =
    passwords.form === 'plaintext'
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
  const current = origin?.checksCurrent === false ? null : passwords.current;
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

/** Of the password, then of what may come back of it in a capture: what the filters make of it, and what we hash. */
function fingerprintsOf(
  { settings: { fingerprintKey } }: IntakeDependencies,
  { sources }: Configuration,
  groups: readonly Group[],
  identity: IdentityAtIntake,
  passwords: Passwords,
): Buffer[] | null {
  const captured = groups
    .flatMap((group) => group.sources)
    .flatMap((name) => {
      const source = sources[name];
      return source?.capture?.enabled === true ? [{ name, source }] : [];
    });
  if (captured.length === 0) return null;
  const { id, accounts } = identity;
  const fingerprint = (value: Secret) => passwordFingerprint(fingerprintKey, id, value);
  const { next, form, seed } = passwords;
  if (form !== 'plaintext') return [fingerprint(next)];
  const filtered = captured.flatMap(({ source }) => {
    const written = source.passwordFilter && rewrite(source.passwordFilter, next);
    if (!written) return [];
    const one = fingerprint(written);
    written.destroy();
    return [one];
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

/** All rules of all groups at once, so that nobody has to find them one by one. */
export async function violationsOf(
  { policyChecker }: IntakeDependencies,
  configuration: Configuration,
  groups: readonly Group[],
  person: IdentityAtIntake,
  password: Secret,
): Promise<Violation[]> {
  const names = new Set(groups.map(({ policy }) => policy));
  const policies = policiesOf(configuration).filter(({ name }) => names.has(name));
  const broken = await Promise.all(
    policies.map(({ rules }) => policyChecker.violations(rules, person, password)),
  );
  return [...new Map<string, Violation>(broken.flat().map((one) => [one.says, one])).values()];
}

/** As it was written a moment ago; nothing can have come of it yet. */
const viewOf = (change: Omit<NewChange, 'fingerprint'>, createdAt: Date): ChangeView => ({
  id: change.id,
  identity: change.identityName,
  seq: change.seq,
  groups: change.groups,
  state: 'accepted',
  reason: null,
  requestedBy: change.requestedBy.name,
  form: change.form,
  capturedAt: change.origin?.capturedAt ?? null,
  createdAt,
  expiresAt: change.expiresAt,
  endedAt: null,
  accounts: [],
  mappings: [],
});
