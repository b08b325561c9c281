import { z } from 'zod';
import { type AccountOverview, type Overview, overviewSchema } from '../../model/api/overview';
import { reasonText } from '../../model/audit/says';
import { heldNow, heldNowOf } from '../../model/change/held-now';
import { outcomeStates } from '../../model/change/outcome';
import { isSignInObstacle } from '../../model/change/sign-in-prevented';
import { pauseReasons } from '../../model/change/source-circuit';
import { describedSource } from '../../model/configuration/described';
import type { Described } from '../../model/configuration/titles';
import { isErrorCode, pausedSays, waitingSays } from '../../model/errors';
import { expiresAt } from '../../model/policy/expiry';
import type { Caller } from '../../store/api-keys';
import { anyRecord, type FoundRecord, readAudit } from '../../store/audit-records';
import { listChanges } from '../../store/changes/read';
import { readChangedAt } from '../../store/people/expiry';
import type { AccountView } from '../../store/people/identities';
import { type HeldByAccount, readHeld } from '../../store/people/overview';
import { summaryOf } from '../changes/change';
import { type CheckedAccount, staleHere } from '../changes/read-stale';
import type { Dependencies } from '../http/dependencies';
import { type Route, route } from '../http/route';
import { personName } from '../http/schemas';
import { visibleGroups } from '../sources/visible';
import { readPerson } from './read-person';

const CHANGES = 10;
const CAPTURES = 10;

export const personOverview: Route = route({
  method: 'get',
  path: '/v1/identities/{name}/overview',
  right: 'read-people',
  summary: 'See what each account of a person holds, and why',
  description:
    'Which password each account holds since when, the newest changes, the captures that had no effect with the reason, and what to do next.',
  params: z.strictObject({ name: personName }),
  answers: { 200: { says: 'The person.', schema: overviewSchema } },
  problems: ['not_found'],
  handle: async (deps, { caller, params: { name } }) => ({
    status: 200,
    body: await readOverview(deps, caller, name),
  }),
});

/** Everything about the passwords of one person that the caller may see. */
export async function readOverview(
  deps: Dependencies,
  caller: Caller,
  given: string,
): Promise<Overview> {
  const { identity, accounts: visible, stale, sees } = await readPerson(deps, caller, given);
  const { name } = identity;
  const { db, settings } = deps;
  const filter = {
    ...{ groups: caller.groups, state: null, identity: name, source: null, cursor: null },
    identityId: identity.id,
  };
  const { configuration } = await deps.configuration();
  const [expiry, held, changes, captures] = await Promise.all([
    expiryOf(deps, caller, identity.id, visible),
    readHeld(db, identity.id),
    listChanges(db, { ...filter, limit: CHANGES }),
    readAudit(db, {
      filter: { ...anyRecord, person: name, action: 'capture' },
      ...{ order: 'newest', cursor: null, limit: CAPTURES },
    }),
  ]);
  const byId = new Map(held.map((one) => [one.accountId, one]));
  const accounts = visible.map((account) => ({
    ...describedSource(configuration, account.source),
    ...accountOf(account, byId.get(account.id), stale.get(account.id)),
  }));
  return {
    name,
    accounts,
    expiry,
    changes: changes.map((summary) => summaryOf(summary, settings)),
    captures: captures.filter(({ source }) => sees(source ?? '')).map(captureOf),
    next: nextSteps(accounts),
  };
}

/** When the passwords of a person expire, in the groups that the caller may see. */
async function expiryOf(
  { db, configuration }: Dependencies,
  caller: Caller,
  identityId: string,
  accounts: readonly AccountView[],
): Promise<Overview['expiry']> {
  const { configuration: inForce } = await configuration();
  const groups = visibleGroups(inForce, caller).filter(({ authSource }) =>
    accounts.some(({ source }) => source === authSource),
  );
  const known = groups.map(async ({ name, authSource }) => {
    const settings = inForce.groups[name]?.expiry;
    if (settings === undefined) return [];
    const changedAt = await readChangedAt(db, identityId, authSource);
    return [{ group: name, changedAt, expiresAt: expiresAt(settings, changedAt) }];
  });
  return (await Promise.all(known)).flat();
}

function accountOf(
  { source, name, primary, problem }: AccountView,
  { held, open }: Pick<HeldByAccount, 'held' | 'open'> = { held: null, open: null },
  checked: CheckedAccount | undefined,
): Omit<AccountOverview, keyof Described> {
  const stale = checked?.is ? staleHere(checked, checked.is) : null;
  const obstacle = held?.reason ?? null;
  const now = heldNowOf({ hasTaken: held !== null, open, stale: stale?.code ?? null });
  return {
    ...{ source, account: name, primary, problem },
    holds: heldNow[now].holds,
    holdsNow: now,
    holdsSays: heldNow[now].says,
    held: held && { change: held.change, since: held.at, proof: held.proof },
    signInPrevented: isSignInObstacle(obstacle) ? obstacle : null,
    open: open && {
      ...{ change: open.change, state: open.state },
      ...{ reason: open.reason, nextTryAt: open.nextTryAt },
      says: openSays(open),
    },
    stale,
  };
}

function openSays(open: NonNullable<HeldByAccount['open']>): string {
  const why = whySays(open);
  return `${outcomeStates[open.state].says}${why === '' ? '' : `: ${why}`}`;
}

function whySays({ state, reason, pausedBy }: NonNullable<HeldByAccount['open']>): string {
  if (reason === null || !isErrorCode(reason) || state !== 'waiting') return reasonText(reason);
  return reason === 'source_paused' ? pausedSays(pausedBy) : waitingSays(reason);
}

function captureOf({ at, source, account, action }: FoundRecord): Overview['captures'][number] {
  const reason = action.replace(/^capture\./, '');
  return { at, source, account, reason, says: reasonText(reason) };
}

/** What cures the stale accounts, each cure once, and what a person can do about waiting accounts. */
function nextSteps(accounts: readonly AccountOverview[]): string[] {
  const cures = accounts.flatMap(({ source, stale }) =>
    stale === null ? [] : [[stale.cure, source] as const],
  );
  // The cure of an account that is stale says what to do already.
  const waiting = accounts.flatMap(({ source, open, stale }) =>
    open === null || !['waiting', 'parked'].includes(open.state) || stale !== null
      ? []
      : [`${source}: ${stepFor(open)}`],
  );
  return [
    ...[...new Set(cures.map(([cure]) => cure))].map(
      (cure) =>
        `${cures.flatMap(([other, source]) => (other === cure ? [source] : [])).join(', ')}: ${cure}`,
    ),
    ...waiting,
  ];
}

/** What to do about an account that waits or is parked. A retry is offered only where it can help. */
function stepFor({ state, reason, change }: NonNullable<AccountOverview['open']>): string {
  const retry = `"lockstep retry ${change}"`;
  if (state === 'parked')
    return `It is not tried again by itself. Once the cause is corrected, ${retry} tries it again.`;
  if (pauseReasons.some((pause) => pause === reason))
    return 'Its source is paused, so a retry does not help. It is written when the pause ends.';
  if (reason === 'account_locked')
    return `Unlock the account. Lockstep then tries it again by itself; ${retry} tries it at once.`;
  return `Lockstep tries it again by itself. ${retry} tries it at once.`;
}
