import { sql } from 'kysely';
import { createActivities } from '../../activities';
import type { Dependencies } from '../../activities/dependencies';
import { acceptRequest } from '../../intake/accept';
import type { IntakeDependencies } from '../../intake/dependencies';
import { CaptureDeclined } from '../../intake/evaluate-capture';
import { IntakeRejected } from '../../intake/rejected';
import { type Configuration, configurationSchema } from '../../model/configuration/document';
import { Secret } from '../../model/passwords/secret';
import { exactRules } from '../../model/people/naming';
import { inPlaintext } from '../../sealing/passwords';
import type { Caller } from '../../store/api-keys';
import { giveCommand, retryOverdue } from '../../store/changes/commands';
import { saveIdentity } from '../../store/people/identities';
import { linkMapping } from '../../store/people/mappings';
import { handOutCommands, sendProbes } from '../../store/sources/commands';
import { pauseSource, reopenSource } from '../../store/sources/state';
import { deleteExpiredSecrets } from '../../store/worker/close';
import { sealCredential } from '../../store/worker/credentials';
import type { KeyStore } from '../../store/worker/keys/key-store';
import { KeyStoreUnavailable } from '../../store/worker/keys/key-store';
import { deliverCommands } from '../../worker/changes/commands';
import { startChanges } from '../../worker/changes/dispatcher';
import { changePassword } from '../../workflows/change-password';
import { restartIds } from './counted-ids';
import { createEngine, ENGINE, type Engine, type SimulatedWorker } from './engine';
import type { GatedDatabase, PlantedSql } from './gated-database';
import { seededRandom } from './random';
import {
  type Action,
  type Schedule,
  SHORT_AGE_MS,
  type SourceName,
  scheduleFrom,
  sourceNames,
} from './schedule';
import { createScheduler, type Scheduler, trackWith } from './scheduler';
import { CancellationScope, useEngine } from './temporal-workflow';
import { createWorld, type World, type WorldFault } from './world';

/** What every run needs, and is opened once. */
export interface Stage {
  readonly database: GatedDatabase;
  readonly keys: KeyStore;
  readonly caller: Caller;
  readonly intake: Pick<IntakeDependencies, 'keyToSealTo' | 'policyChecker'> & {
    readonly settings: Omit<IntakeDependencies['settings'], 'ageLimitMs'>;
  };
  readonly startsAt: number;
}

/** A new password that Lockstep accepted. */
export interface Accepted {
  readonly id: string;
  readonly password: string;
  readonly at: number;
  /** Where the person changed it; null when it was requested. */
  readonly origin: string | null;
  readonly current: 'right' | 'wrong' | 'none';
}

export interface NativeChange {
  readonly source: string;
  readonly password: string;
  readonly at: number;
  /** Ids of changes, or why a delivery started none. */
  readonly results: string[];
}

export interface Run {
  readonly seed: number;
  readonly schedule: Schedule;
  readonly scheduler: Scheduler;
  readonly world: World;
  readonly engine: Engine;
  readonly accepted: readonly Accepted[];
  readonly natives: readonly NativeChange[];
  readonly cancelled: ReadonlySet<string>;
  readonly configuration: Configuration;
  readonly person: string;
  readonly log: readonly string[];
  /** Ids of changes whose sealed password was found long after its expiry. */
  readonly outlived: ReadonlySet<string>;
  /** It did not come to its end. */
  readonly stuck: string | null;
}

/** What a test breaks on purpose, to see that the simulator finds it. */
export interface Fault {
  readonly sql?: readonly PlantedSql[];
  readonly world?: WorldFault;
  /** An activity returns the newest password to the engine. */
  readonly leaks?: true;
}

export const INITIAL_PASSWORD = 'Simulated-password-0!';
const GIVE_UP_MS = 6 * 3_600_000;
const MOST_STEPS = 8_000;
/** As in `worker/janitor.ts`. */
const SWEEP_EVERY_MS = 10_000;

export async function simulate(
  stage: Stage,
  seed: number,
  fault: Fault = {},
  mostSteps = MOST_STEPS,
): Promise<Run> {
  const random = seededRandom(seed);
  const schedule = scheduleFrom(random);
  const scheduler = createScheduler(random, stage.startsAt);
  const { database } = stage;
  restartIds();
  database.use(scheduler, fault.sql ?? []);
  trackWith(scheduler);
  jest.spyOn(performance, 'now').mockImplementation(() => scheduler.now());
  const person = `person-${seed}`;
  const configuration = configurationFor(schedule);
  const rules = Object.fromEntries(
    sourceNames.map((name) => [
      name,
      { ...schedule, refuses: (text: string) => schedule.choosy === name && isEven(text) },
    ]),
  );
  const world = createWorld(scheduler, INITIAL_PASSWORD, rules, fault.world ?? null);
  const log: string[] = [];
  const note = (line: string) => log.push(`${scheduler.now() - stage.startsAt} ${line}`);

  let keysWork = true;
  const outlived = new Set<string>();
  const mayExpire = schedule.ageLimitMs === SHORT_AGE_MS;
  const applied = async () => ({ version: 1, configuration });
  const deps: Dependencies = {
    db: database.db,
    keys: {
      ...stage.keys,
      async currentMasterKey() {
        await scheduler.gate();
        if (!keysWork) throw new KeyStoreUnavailable('sealed');
        return stage.keys.currentMasterKey();
      },
    },
    configuration: applied,
    connector: async (source) => {
      const found = world.sources.get(source);
      if (found === undefined) throw new Error(`no source ${source}`);
      return found.connector;
    },
    accountRules: () => exactRules,
    random: () => random.next(),
  };
  const engine = createEngine(
    scheduler,
    () => random.next(),
    () => CancellationScope.current(),
    changePassword,
  );
  useEngine(engine);

  const accepted: Accepted[] = [];
  const natives: NativeChange[] = [];
  const cancelled = new Set<string>();
  let acceptedAt = 0;
  let nextWorker = 1;
  const workers: SimulatedWorker[] = [];

  function startWorker(): void {
    const process = `worker-${nextWorker++}`;
    const activities = createActivities(deps) as SimulatedWorker['activities'];
    const leaking = {
      ...activities,
      settleMappings: async () => ({ stored: accepted.at(-1)?.password }),
      closeChange: async (...args: never[]) => ({
        ...((await activities.closeChange?.(...args)) as object),
        newest: accepted.at(-1)?.password,
      }),
    };
    const worker = { process, activities: fault.leaks ? leaking : activities };
    workers.push(worker);
    engine.addWorker(worker);
    void scheduler.spawn(process, async () => {
      let sweptAt = 0;
      for (let round = 0; ; round++) {
        await scheduler.sleep(500);
        try {
          while (
            await startChanges({
              db: database.db,
              client: engine.client as never,
              linkTo: async (id) => id,
              close: (id) =>
                worker.activities.closeChange?.(...([id, 'cancelled'] as never[])) ??
                Promise.resolve(),
            })
          );
          while (await deliverCommands({ db: database.db, client: engine.client as never }));
          if (round % 2 === 0) {
            await sendProbes(database.db);
            while (await retryOverdue(database.db));
            while (await handOutCommands(database.db));
          }
          if (scheduler.now() >= sweptAt + SWEEP_EVERY_MS) {
            sweptAt = scheduler.now();
            await deleteExpiredSecrets(database.db);
          }
        } catch (error) {
          note(`${process}: its loop failed: ${(error as Error).message}`);
        }
        await scheduler.sleep(pause());
      }
    });
  }
  /** Loops look often while something goes on, and seldom while everything waits. */
  const pause = () => {
    const idleMs = scheduler.now() - Math.max(engine.lastAttemptAt(), acceptedAt);
    const mostMs = mayExpire ? SWEEP_EVERY_MS : 60_000;
    return idleMs < 5_000 ? 1_500 : Math.min(mostMs, 1_500 + idleMs / 4);
  };

  async function accept(
    password: string,
    current: Accepted['current'],
    seen: NativeChange | null,
  ): Promise<string> {
    const known = {
      right: world.sources.get('directory')?.account.password ?? '',
      wrong: 'Wrong guess 1!',
    };
    const account = { source: seen?.source ?? '', account: person };
    try {
      const result = await acceptRequest(
        {
          ...stage.intake,
          settings: { ...stage.intake.settings, ageLimitMs: schedule.ageLimitMs },
          db: database.db,
          configuration: applied,
        },
        stage.caller,
        {
          person: seen === null ? { name: person } : account,
          group: null,
          passwords: inPlaintext(
            Secret.fromText(password),
            current === 'none' ? null : Secret.fromText(known[current]),
          ),
          idempotencyKey: null,
          capture:
            seen === null ? null : { ...account, capturedAt: new Date(seen.at), repeats: false },
        },
      );
      if (result.replayed) return result.changeId;
      const { id } = result.change;
      acceptedAt = scheduler.now();
      accepted.push({ id, password, at: scheduler.now(), origin: seen?.source ?? null, current });
      return id;
    } catch (error) {
      if (error instanceof CaptureDeclined) return error.why;
      if (error instanceof IntakeRejected) return error.code;
      throw error;
    }
  }

  async function act(action: Action): Promise<void> {
    note(JSON.stringify(action));
    switch (action.kind) {
      case 'request': {
        const id = await accept(action.password, action.current, null);
        return void note(`request: ${id}`);
      }
      case 'native': {
        if (!world.changeThere(action.source, action.password)) return;
        const seen: NativeChange = {
          source: action.source,
          password: action.password,
          at: scheduler.now(),
          results: [],
        };
        natives.push(seen);
        acceptedAt = scheduler.now();
        for (const [index, afterMs] of action.deliveredAfterMs.entries())
          deliver(seen, afterMs, index);
        return;
      }
      case 'lock':
      case 'unlock': {
        const account = world.sources.get(action.source)?.account;
        if (account !== undefined)
          Object.assign(account, { locked: action.kind === 'lock', failures: 0 });
        return;
      }
      case 'mood':
        return setMood(action.source, action.mood);
      case 'pause':
        return void (await pauseSource(database.db, action.source, 'source_paused', 'test'));
      case 'resume':
        return void (await reopenSource(database.db, action.source, 'paused', 'test'));
      case 'keys':
        keysWork = action.work;
        return;
      case 'outage':
        return scheduler.freeze(ENGINE, action.ms);
      case 'kill':
        return kill();
      case 'freeze': {
        const worker = random.pick(workers.filter(({ process }) => scheduler.isAlive(process)));
        return scheduler.freeze(worker.process, action.ms);
      }
      case 'command': {
        const change = accepted[action.nth % Math.max(1, accepted.length)];
        if (change === undefined) return;
        const given = await giveCommand(database.db, {
          changeId: change.id,
          kind: action.command,
          label: null,
          by: 'test',
        });
        if (given && action.command === 'cancel') cancelled.add(change.id);
      }
    }
  }

  const pending = new Set<Promise<void>>();
  function deliver(seen: NativeChange, afterMs: number, index: number): void {
    const delivery = scheduler.spawn(`relay-${natives.length}-${index}`, async () => {
      await scheduler.sleep(afterMs);
      const result = await accept(seen.password, 'none', seen);
      seen.results.push(result);
      note(`capture in ${seen.source}: ${result}`);
      pending.delete(delivery);
    });
    pending.add(delivery);
  }

  function setMood(source: string, mood: 'works' | 'away' | 'hangs' | 'loses'): void {
    const found = world.sources.get(source);
    if (found !== undefined) found.mood = mood;
  }

  function kill(): void {
    const worker = random.pick(workers.filter(({ process }) => scheduler.isAlive(process)));
    engine.removeWorker(worker.process);
    scheduler.kill(worker.process);
    startWorker();
  }

  /** Everything works again; what an operator parked is retried. */
  async function recover(): Promise<void> {
    acceptedAt = scheduler.now();
    note('everything works again');
    keysWork = true;
    for (const source of sourceNames) {
      setMood(source, 'works');
      await act({ kind: 'unlock', source });
      await reopenSource(database.db, source, 'paused', 'test');
    }
    for (const { id } of accepted)
      await giveCommand(database.db, { changeId: id, kind: 'retry', label: null, by: 'test' });
  }

  await prepare(stage, person);
  let finished = false;
  let failure: unknown = null;
  const isOpen = (): boolean => [...engine.workflows.values()].some(({ over }) => !over);
  const play = async () => {
    startWorker();
    startWorker();
    for (const action of schedule.actions) {
      const wait = stage.startsAt + action.atMs - scheduler.now();
      if (wait > 0) await scheduler.sleep(wait);
      await act(action);
    }
    await scheduler.sleep(1_000);
    await recover();
    const deadline = scheduler.now() + GIVE_UP_MS;
    while (pending.size > 0 || engine.workflows.size < accepted.length || isOpen()) {
      if (scheduler.now() > deadline) throw new Error('changes stay open');
      await scheduler.sleep(10_000);
    }
    finished = true;
  };
  /** A password may outlive its expiry only while no worker runs. */
  const observe = async () => {
    let idleAt = 0;
    while (!finished) {
      await scheduler.sleep(SWEEP_EVERY_MS);
      const { now, isAlive, frozenUntil } = scheduler;
      if (!workers.some(({ process }) => isAlive(process) && frozenUntil(process) <= now()))
        idleAt = now();
      const found = await scheduler.busy(readOutlived(database));
      if (now() > idleAt + 3 * SWEEP_EVERY_MS) for (const id of found) outlived.add(id);
    }
  };
  if (mayExpire) void scheduler.spawn('observer', observe);
  void scheduler.spawn('schedule', play).catch((error: unknown) => {
    failure = error;
    finished = true;
  });
  try {
    await scheduler.run(() => finished, mostSteps);
  } catch (error) {
    failure ??= error;
  }
  for (const { process } of workers) scheduler.kill(process);
  jest.restoreAllMocks();
  return {
    seed,
    schedule,
    scheduler,
    world,
    engine,
    accepted,
    natives,
    cancelled,
    configuration,
    person,
    log,
    outlived,
    stuck: failure === null ? null : String((failure as Error).stack ?? failure),
  };
}

/** Every second password breaks the rule of a choosy source. */
const isEven = (password: string): boolean => /[02468]!$/.test(password);

async function readOutlived({ direct }: GatedDatabase): Promise<string[]> {
  const rows = await direct
    .selectFrom('sealed_secret')
    .select('change_id')
    .where('expires_at', '<', sql<Date>`now() - interval '30 seconds'`)
    .execute();
  return rows.map(({ change_id }) => change_id);
}

/** A person with an account in every source, and an application that signs in with the one in `crm`. */
async function prepare({ database, keys }: Stage, person: string): Promise<void> {
  await database.reset();
  const links = sourceNames.map((source) => ({
    source,
    name: person,
    nativeId: null,
    primary: true,
  }));
  const { direct } = database;
  await saveIdentity(
    direct,
    { name: person, attributes: {} },
    links,
    // A refresh has read the accounts, so the first write does not read them again.
    'refresh',
    'test',
    () => exactRules,
  );
  const crm = await direct
    .selectFrom('account')
    .select(['id as accountId', 'identity_id as identityId'])
    .where('source', '=', 'crm' satisfies SourceName)
    .executeTakeFirstOrThrow();
  await linkMapping(direct, { ...crm, application: 'reports', enabled: true }, 'test');
  const { id } = await direct.selectFrom('mapping').select('id').executeTakeFirstOrThrow();
  const master = await keys.currentMasterKey();
  const sealed = sealCredential(master, id, 0, Secret.fromText(INITIAL_PASSWORD));
  await direct
    .updateTable('mapping')
    .set({ sealed, master_key_id: master.id, state: 'in_sync' })
    .execute();
}

function configurationFor({ directoryLast, queued }: Schedule): Configuration {
  const capture = { enabled: true, verifyCurrent: false };
  return configurationSchema.parse({
    version: 1,
    sources: Object.fromEntries(
      sourceNames.map((name) => [
        name,
        { kind: 'ldap', settings: {}, capture, ...(queued === name ? { lane: 'queue' } : {}) },
      ]),
    ),
    policies: { everyone: {} },
    groups: {
      all: {
        policy: 'everyone',
        authSource: 'directory',
        sources: [...sourceNames],
        ...(directoryLast ? { failureMode: 'directory-last' } : {}),
      },
    },
    applications: { reports: { source: 'crm' } },
  });
}
