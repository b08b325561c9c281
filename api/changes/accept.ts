import { timingSafeEqual } from 'node:crypto';
import { type Configuration, policiesOf } from '../../model/configuration';
import type { Person } from '../../model/correlation';
import type { Group } from '../../model/group';
import { identityWords, type Violation, violations } from '../../model/policy';
import type { Secret } from '../../model/secret';
import type { Caller } from '../../store/api-keys';
import {
  type Accepted,
  acceptChange,
  type ChangeView,
  findRepeated,
  type NewChange,
} from '../../store/changes';
import { findIdentity, type IdentityAtIntake } from '../../store/identities';
import { newId } from '../../store/ids';
import { destroyPasswords, type Passwords, seal } from '../../store/sealing';
import { type Capture, judge } from '../captures/judge';
import type { Dependencies } from '../dependencies';
import { fingerprintOf, passwordFingerprint } from '../intake/fingerprint';
import { Refusal } from '../refusal';
import { reach } from './reach';

export interface WantedChange {
  readonly person:
    | { readonly name: string }
    | { readonly source: string; readonly account: string };
  readonly group: string | null;
  readonly passwords: Passwords;
  readonly idempotencyKey: string | null;
  /** Null when the change was asked for. */
  readonly capture: Capture | null;
}

export type TakenIn =
  | { readonly replayed: false; readonly change: ChangeView }
  | { readonly replayed: true; readonly changeId: string };

/**
 * Takes a new password in: checked, sealed, and durable when this returns (I1). The passwords are destroyed by then,
 * whatever came of it.
 * @throws Refusal, CaptureDeclined when nothing was accepted
 */
export async function takeIn(
  deps: Dependencies,
  caller: Caller,
  wanted: WantedChange,
): Promise<TakenIn> {
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
  { settings }: Dependencies,
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
  { db }: Dependencies,
  { keyId }: Caller,
  { idempotencyKey }: WantedChange,
): Promise<Repeated | null> =>
  idempotencyKey === null ? null : findRepeated(db, keyId, idempotencyKey);

function replay(earlier: Repeated, fingerprint: Buffer | null): TakenIn {
  const same =
    fingerprint !== null &&
    fingerprint.length === earlier.fingerprint?.length &&
    timingSafeEqual(fingerprint, earlier.fingerprint);
  if (!same) throw new Refusal('idempotency_conflict');
  return { replayed: true, changeId: earlier.changeId };
}

/** Everything but the writing. Somebody unknown costs as much as somebody whom the caller may not change. */
async function prepare(
  deps: Dependencies,
  caller: Caller,
  { group, passwords, idempotencyKey, capture }: WantedChange,
  identity: IdentityAtIntake | null,
  again: boolean,
): Promise<Omit<NewChange, 'fingerprint'>> {
  const origin = capture && (await judge(deps, caller, capture, identity, passwords));
  const { version, configuration } = await deps.configuration(identity?.configurationVersion ?? 0);
  const linkedSources = (identity?.accounts ?? []).map(({ source }) => source);
  const reached = reach({ configuration, caller, linkedSources, wanted: origin?.group ?? group });
  if (identity === null) throw new Refusal('identity_unknown');
  if ('refused' in reached) throw new Refusal(reached.refused);
  refuseAgainstPolicy(configuration, reached.groups, identity, passwords.next);

  const key = await deps.keyToSealTo(identity.now, again);
  if (key === null) throw new Refusal('no_epoch');
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
    groups: reached.groups.map(({ name }) => name),
    requestedBy: caller,
    idempotencyKey,
    configurationVersion: version,
    epochId: key.epochId,
    jwe: await seal(key, sealedFor, { next: passwords.next, current }),
    origin,
    passwordFingerprints: remembers(configuration, reached.groups)
      ? [passwordFingerprint(deps.settings.fingerprintKey, identity.id, passwords.next)]
      : null,
  };
}

/** Only what may come back in a capture. */
const remembers = ({ sources }: Configuration, groups: readonly Group[]): boolean =>
  groups.some((group) => group.sources.some((name) => sources[name]?.capture?.enabled === true));

/** All rules of all groups at once, so that nobody has to find them one by one. */
function refuseAgainstPolicy(
  configuration: Configuration,
  groups: readonly Group[],
  person: Person,
  password: Secret,
): void {
  const words = identityWords([person.name, ...Object.values(person.attributes)]);
  const names = new Set(groups.map(({ policy }) => policy));
  const broken = policiesOf(configuration)
    .filter(({ name }) => names.has(name))
    .flatMap(({ rules }) => violations(rules, password, words));
  if (broken.length === 0) return;
  const distinct = new Map<string, Violation>(broken.map((one) => [one.says, one]));
  throw new Refusal('password_against_policy', { violations: [...distinct.values()] });
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
  capturedAt: change.origin?.capturedAt ?? null,
  createdAt,
  expiresAt: change.expiresAt,
  endedAt: null,
  accounts: [],
  mappings: [],
});
