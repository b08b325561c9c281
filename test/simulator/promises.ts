import { type ChangeState, endedInVain, hasEnded } from '../../model/change/change';
import type { OutcomeState } from '../../model/change/outcome';
import type { Database } from '../../store/database';
import { unsealCredential } from '../../store/worker/credentials';
import { brokenInvariants } from '../support/invariants';
import { SHORT_AGE_MS } from './schedule';
import { type Accepted, INITIAL_PASSWORD, type Run, type Stage } from './simulate';

/** Checks the promises I1 to I12 of docs/architecture.md after a run. Each finding begins with the promise. */
export async function brokenPromises(stage: Stage, run: Run): Promise<string[]> {
  const { direct } = stage.database;
  const found = Object.entries(await brokenInvariants(direct)).map(
    ([promise, what]) => `${promise}: ${JSON.stringify(what)}`,
  );
  if (run.stuck !== null) found.push(`I2 every change comes to its end: ${run.stuck}`);
  const changes = await readChanges(direct, run);
  for (const check of checks) found.push(...check(run, changes, stage));
  found.push(...(await mappingsFound(stage, run)));
  return found;
}

interface Outcome {
  readonly source: string;
  readonly role: string;
  readonly state: OutcomeState;
  readonly reason: string | null;
  readonly inDoubt: boolean;
}

interface Change extends Accepted {
  readonly seq: number;
  readonly state: ChangeState;
  readonly reason: string | null;
  readonly outcomes: readonly Outcome[];
}

async function readChanges(db: Database, { accepted }: Run): Promise<Change[]> {
  const rows = await db.selectFrom('change').select(['id', 'seq', 'state', 'reason']).execute();
  const outcomes = await db
    .selectFrom('outcome')
    .select(['change_id', 'source', 'role', 'state', 'reason', 'in_doubt as inDoubt'])
    .execute();
  return accepted
    .flatMap((one) => {
      const row = rows.find(({ id }) => id === one.id);
      const mine = outcomes.filter(({ change_id }) => change_id === one.id) as unknown as Outcome[];
      return row === undefined ? [] : [{ ...one, ...row, outcomes: mine } as Change];
    })
    .sort((one, other) => one.seq - other.seq);
}

/** The change to this password, unless several changes have the same one. */
const theOnlyOne = (changes: readonly Change[], password: string): readonly Change[] => {
  const found = changes.filter((change) => change.password === password);
  return found.length === 1 ? found : [];
};

type Check = (run: Run, changes: readonly Change[], stage: Stage) => string[];

const outcomeIn = ({ outcomes }: Change, source: string) =>
  outcomes.find((one) => one.source === source);
const isApplied = (change: Change, source: string) =>
  outcomeIn(change, source)?.state === 'applied';
const show = ({ id, seq, state, reason, outcomes }: Change): string =>
  `change ${seq} (${id}, ${state}, ${reason}): ${outcomes.map((one) => `${one.source} ${one.state} ${one.reason}`).join(', ')}`;
/** The source refused this password by a rule of its own. */
const isRefusedThere = ({ world }: Run, change: Change, { source, state }: Outcome): boolean =>
  state === 'rejected' &&
  world.writes.some(
    (write) =>
      write.source === source &&
      write.password === change.password &&
      (write.result === 'refused' || write.result === 'history'),
  );
const mayExpire = ({ schedule }: Run, state: ChangeState | OutcomeState): boolean =>
  schedule.ageLimitMs === SHORT_AGE_MS && state === 'expired';
const authOf = ({ outcomes }: Change) => outcomes.find(({ role }) => role === 'auth');

const checks: readonly Check[] = [
  ({ accepted }, changes) =>
    accepted
      .filter(({ id }) => !changes.some((change) => change.id === id))
      .map(({ id }) => `I1 an accepted change is durable: ${id}`),

  ({ engine }, changes) => [
    ...changes
      .filter(({ id }) => engine.workflows.get(id)?.over !== true)
      .map(({ id }) => `I12 every change has a workflow, which is over: ${id}`),
    ...[...engine.workflows]
      .filter(([id, { failed }]) => failed || !changes.some((change) => change.id === id))
      .map(([id]) => `I12 no workflow fails or is without a row: ${id}`),
  ],

  holdsNewest,
  newestClaimWins,
  capturesClaimTheirOrigin,

  // A change is superseded only by one that wrote an account.
  (_run, changes) =>
    changes
      .filter(({ state }) => state === 'superseded')
      .filter(
        ({ seq }) =>
          !changes.some(
            (newer) => newer.seq > seq && newer.outcomes.some(({ state }) => state === 'applied'),
          ),
      )
      .map((change) => `I3 only a change that was validated supersedes another: ${show(change)}`),

  // What was written to the auth account is not reported as refused.
  ({ world }, changes) =>
    changes
      .filter(({ state }) => state === 'refused')
      .filter((change) =>
        world.writes.some(
          ({ source, password, result, at }) =>
            source === 'directory' &&
            password === change.password &&
            result === 'written' &&
            at >= change.at &&
            !changes.some((other) => other !== change && other.password === password),
        ),
      )
      .map((change) => `I3 a change that was written is not reported as refused: ${show(change)}`),

  (_run, changes) =>
    changes
      .filter(({ state }) => !hasEnded(state))
      .map((change) => `I2 every change ends: ${show(change)}`),

  // No operator cancelled it, and everything works at the end, so only a rule of a source keeps it from its accounts.
  (run, changes) =>
    changes
      .filter(
        ({ id, state }) =>
          !run.cancelled.has(id) && ['expired', 'cancelled', 'failed'].includes(state),
      )
      .filter((change) => !mayExpire(run, change.state))
      .filter((change) => !change.outcomes.some((outcome) => isRefusedThere(run, change, outcome)))
      .map((change) => `I2 a change reaches its accounts once everything works: ${show(change)}`),

  (run, changes) =>
    changes
      .filter(({ id }) => !run.cancelled.has(id))
      .filter((change) => authOf(change)?.state === 'applied')
      .filter(({ seq }) => !changes.some((newer) => newer.seq > seq))
      .flatMap((change) =>
        change.outcomes
          .filter(({ state }) => state !== 'applied' && !mayExpire(run, state))
          .filter((outcome) => !isRefusedThere(run, change, outcome))
          .map(
            ({ source }) =>
              `I5 one account's failure changes no other's outcome: ${source} in ${show(change)}`,
          ),
      ),

  // The write that the history rule refused repeated one of ours, and the account is not reported as applied.
  ({ world }, changes) =>
    world.writes
      .filter(({ result, over, password }) => result === 'history' && over === password)
      .filter((repeat) =>
        world.writes.some(
          (one) =>
            one.result === 'written' &&
            one.source === repeat.source &&
            one.password === repeat.password &&
            one.at < repeat.at,
        ),
      )
      .filter(({ source, password }) =>
        theOnlyOne(changes, password).some(
          (change) => outcomeIn(change, source)?.state === 'rejected',
        ),
      )
      .map(({ source }) => `I7 a repeated write never trips a history rule: ${source}`),

  ({ engine, accepted }) =>
    [INITIAL_PASSWORD, ...accepted.map(({ password }) => password)]
      .filter((password) => engine.history.some((event) => event.includes(password)))
      .map((password) => `I8 no password reaches the engine: ${password}`),

  ({ world, natives }, _changes, { database }) =>
    [...world.failedLogins]
      .filter(
        ([source, count]) =>
          count >
          2 * database.claims().filter((claim) => claim.source === source).length + natives.length,
      )
      .map(
        ([source, count]) =>
          `I11 at most one failed bind of ours an attempt: ${count} in ${source}`,
      ),

  ({ outlived }) => [...outlived].map((id) => `I9 no sealed password outlives its expiry: ${id}`),

  ({ engine }) =>
    engine.recoveries
      .filter((ms) => ms > 60_000)
      .map((ms) => `I2 a crash costs at most one minute: ${ms} ms`),
];

/** I3: each account finally holds the newest password that was accepted for it, unless it rejected it. */
function holdsNewest({ world, natives, cancelled }: Run, changes: readonly Change[]): string[] {
  return [...world.sources.values()].flatMap(({ name, account }) => {
    const newest = changes.filter((change) => isApplied(change, name)).at(-1);
    const expected = newest?.password ?? INITIAL_PASSWORD;
    if (account.password === expected) return [];
    if (changes.some((change) => mayHaveWritten(change, name, account.password))) return [];
    const native = natives.find(
      ({ source, password }) => source === name && account.native && password === account.password,
    );
    // It was changed there, and its capture started nothing, or what it started was cancelled.
    const uncaptured = native?.results.every(
      (result) => !result.startsWith('chg_') || cancelled.has(result),
    );
    if (native !== undefined && uncaptured === true) return [];
    return [
      `I3 ${name} holds the newest password: holds ${account.password}, expected ${expected}; ${changes.map(show).join('; ')}`,
    ];
  });
}

/** The change ended, and reports that it does not know whether the source holds its password. */
const mayHaveWritten = (change: Change, source: string, password: string): boolean =>
  change.password === password && outcomeIn(change, source)?.inDoubt === true;

/** Once a change has claimed an account that it holds in the end, no older change claims the account. */
function newestClaimWins(_run: Run, changes: readonly Change[], { database }: Stage): string[] {
  const claims = database.claims().flatMap(({ source, changeId }) => {
    const change = changes.find(({ id }) => id === changeId);
    return change === undefined ? [] : [{ source, change }];
  });
  return claims.flatMap(({ source, change }, index) =>
    claims
      .slice(0, index)
      .filter((before) => before.source === source && before.change.seq > change.seq)
      .filter((before) => isApplied(before.change, source))
      .map(
        (before) =>
          `I3 the newest claim wins: ${source} was claimed by change ${change.seq} after ${show(before.change)}`,
      ),
  );
}

/** From its acceptance on, no older change claims the account in which a captured password was changed, unless the change refused it. */
function capturesClaimTheirOrigin(
  _run: Run,
  changes: readonly Change[],
  { database }: Stage,
): string[] {
  return changes
    .filter(({ origin, outcomes }) => origin !== null && outcomes.length > 0)
    .flatMap((capture) =>
      database
        .claims()
        .filter(({ source, at }) => source === capture.origin && at > capture.at)
        .filter(
          ({ changeId }) =>
            (changes.find(({ id }) => id === changeId)?.seq ?? Infinity) < capture.seq,
        )
        .filter(() => !hasLostOrigin(capture))
        .map(
          ({ changeId }) =>
            `I3 a capture claims its origin: ${changeId} claimed it after ${show(capture)}`,
        ),
    );
}

const hasLostOrigin = (capture: Change): boolean =>
  endedInVain.includes(capture.state) ||
  outcomeIn(capture, capture.origin ?? '')?.state !== 'applied';

/** I6: a mapping shows what its system holds, or is flagged as out of sync. */
async function mappingsFound(
  { database, keys }: Stage,
  { world, natives }: Run,
): Promise<string[]> {
  const master = await keys.currentMasterKey();
  const rows = await database.direct
    .selectFrom('mapping')
    .select(['id', 'state', 'applied_seq as seq', 'sealed'])
    .where('state', '=', 'in_sync')
    .execute();
  const account = world.sources.get('crm')?.account;
  return rows.flatMap(({ id, seq, sealed }) => {
    if (sealed === null) return [];
    const stored = unsealCredential(master, id, Number(seq), sealed).text();
    const uncaptured = natives.some(
      ({ source, password, results }) =>
        source === 'crm' &&
        account?.native === true &&
        password === account.password &&
        results.every((result) => !result.startsWith('chg_')),
    );
    return stored === account?.password || uncaptured
      ? []
      : [`I6 a mapping in sync shows what its system holds: ${stored}, not ${account?.password}`];
  });
}
