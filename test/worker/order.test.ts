import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { sql } from 'kysely';
import { attemptAccounts } from '../../activities/attempt/attempt-accounts';
import { closeChange } from '../../activities/close-change';
import type { Dependencies } from '../../activities/dependencies';
import { loadChange } from '../../activities/shared/load-change';
import { openDependencies } from '../../api/http/dependencies';
import type { Connector } from '../../connectors/contract';
import { acceptRequest } from '../../intake/accept';
import { CaptureDeclined } from '../../intake/evaluate-capture';
import { isSettled } from '../../model/change/outcome';
import { planChange } from '../../model/change/plan';
import { configurationSchema, groupsOf, sourcesOf } from '../../model/configuration/document';
import { Secret } from '../../model/passwords/secret';
import { inPlaintext } from '../../sealing/passwords';
import { type Caller, callerOf, createApiKey } from '../../store/api-keys';
import { applyConfiguration } from '../../store/configuration/versions';
import { signerKey } from '../../store/epochs';
import { findIdentity, saveIdentity } from '../../store/people/identities';
import { ensureEpoch } from '../../store/worker/epochs';
import { openKeyDirectory, SIGNER_PUBLIC_FILE } from '../../store/worker/keys/key-directory';
import { readOutcomeStatuses } from '../../store/worker/outcomes';
import { storePlan } from '../../store/worker/store-plan';
import { type TestDatabase, testDatabase } from '../support/database';
import { brokenInvariants } from '../support/invariants';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { type Player, player, turn } from '../support/turns';

const names = ['directory', 'apps', 'crm'] as const;
type Name = (typeof names)[number];

const capture = { enabled: true, verifyCurrent: false };
const configuration = configurationSchema.parse({
  version: 1,
  sources: Object.fromEntries(names.map((name) => [name, { kind: 'ldap', settings: {}, capture }])),
  policies: { everyone: {} },
  groups: { all: { policy: 'everyone', authSource: 'directory', sources: [...names] } },
});

/** How a source takes the next write: as it should, not at all, or without an answer. */
type Mood = 'works' | 'away' | 'lost';

/** A password of a person that somebody else captured, or will: the relay of the source brings it later. */
interface Seen {
  readonly source: Name;
  readonly password: string;
  at: number;
}

interface Rival {
  /** Null when it is asked for; else it was changed there. */
  readonly source: Name | null;
}

interface Run {
  readonly first: Rival;
  readonly second: Rival;
  /** How many steps the first has made before the second begins, and how much later that is. */
  readonly ahead: number;
  readonly apartMs: number;
  /** Who moves next: a change, or the relay that brings what it saw. Or nobody, for as long. */
  readonly order: readonly ('first' | 'second' | 'relay' | 'nobody')[];
  readonly moods: readonly Mood[];
}

const rival = fc.record({ source: fc.constantFrom<Name | null>(null, null, ...names) });
const runs: fc.Arbitrary<Run> = fc.record({
  first: rival,
  second: rival,
  ahead: fc.integer({ min: 1, max: 30 }),
  apartMs: fc.integer({ min: 1, max: 10_000 }),
  order: fc.array(fc.constantFrom('first', 'second', 'relay', 'nobody'), { maxLength: 60 }),
  moods: fc.array(fc.constantFrom<Mood>('works', 'works', 'away', 'lost'), { maxLength: 8 }),
});

describeWith(['postgres'], 'two changes of one person, asked for or captured', () => {
  let database: TestDatabase;
  let caller: Caller;
  let api: Awaited<ReturnType<typeof openDependencies>>;
  let worker: Dependencies;
  let world: World;

  beforeAll(async () => {
    database = await testDatabase();
    const { db } = database;
    const keyDir = path.join(mkdtempSync(path.join(os.tmpdir(), 'lockstep-test-')), 'keys');
    const keys = await openKeyDirectory(keyDir);
    await ensureEpoch(db, keys, 24);
    await applyConfiguration(db, configuration, 0, 'test');
    const wanted = { name: 'test', scopes: ['admin' as const], groups: null, expiresAt: null };
    const { key } = await createApiKey(db, wanted, 'test');
    caller = (await callerOf(db, key)) as Caller;
    const signer = signerKey(
      JSON.parse(readFileSync(path.join(keyDir, SIGNER_PUBLIC_FILE), 'utf8')),
    );
    const settings = {
      fingerprintKey: createSecretKey(randomBytes(32)),
      signer: () => signer,
      ageLimitMs: 72 * 3_600_000,
      publicUrl: '',
      temporalUrl: null,
    };
    api = await openDependencies(db, database.url, settings, new AbortController().signal);
    worker = {
      db,
      keys,
      configuration: async () => ({ version: 1, configuration }),
      connector: async (source) => world.connector(source as Name),
      random: () => 0,
    };
  });
  afterAll(async () => {
    await api.close();
    await database.close();
  });

  /** By the clock of the database, as a relay that keeps time tells it. */
  async function now(): Promise<number> {
    const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(database.db);
    return rows[0]?.now.getTime() ?? 0;
  }

  /** @returns the id of the change, or why there is none */
  async function bring(person: string, password: string, seen: Seen | null): Promise<string> {
    const account = { source: seen?.source ?? '', account: person };
    try {
      const taken = await acceptRequest(api, caller, {
        person: seen === null ? { name: person } : account,
        group: null,
        passwords: inPlaintext(Secret.fromText(password), null),
        idempotencyKey: null,
        capture:
          seen === null ? null : { ...account, capturedAt: new Date(seen.at), repeats: false },
      });
      return taken.replayed ? taken.changeId : taken.change.id;
    } catch (error) {
      if (error instanceof CaptureDeclined) return error.why;
      throw error;
    }
  }

  async function carryOut(id: string): Promise<void> {
    const { change } = await loadChange(worker, id);
    const groups = groupsOf(configuration);
    const plan = planChange({
      groups,
      sources: sourcesOf(configuration),
      accounts: change.accounts,
    });
    await storePlan(database.db, id, plan);
    await turn();
    let stop: 'finished' | 'superseded' = 'finished';
    for (;;) {
      const standings = await readOutcomeStatuses(database.db, id);
      const auth = standings.find(({ role }) => role === 'auth');
      const gone = auth !== undefined && isSettled(auth.state) && auth.state !== 'applied';
      const next = standings.find(({ state }) => !isSettled(state));
      if (gone || next === undefined) break;
      if (await isSuperseded(id)) {
        stop = 'superseded';
        break;
      }
      const chosen = { source: next.source, label: next.label };
      // One that was away is asked again at once: who asks it, and when, is another promise.
      await database.db.deleteFrom('source_state').execute();
      await attemptAccounts(worker, await loadChange(worker, id), chosen);
      await turn();
    }
    await closeChange(worker)(id, stop);
  }

  const isSuperseded = async (id: string): Promise<boolean> =>
    (await database.db.selectFrom('command').select('id').where('change_id', '=', id).execute())
      .length > 0;

  /** As if everything so far had been so much earlier. */
  async function pass(ms: number): Promise<void> {
    const earlier = sql`make_interval(secs => ${ms / 1000})`;
    await sql`update change set created_at = created_at - ${earlier}, captured_at = captured_at - ${earlier}`.execute(
      database.db,
    );
    await sql`update outcome set updated_at = updated_at - ${earlier}`.execute(database.db);
    for (const seen of world.seen) seen.at -= ms;
  }

  async function play(run: Run): Promise<void> {
    const person = `person-${randomBytes(6).toString('hex')}`;
    const links = names.map((source) => ({ source, name: person, nativeId: null, primary: true }));
    await saveIdentity(database.db, { name: person, attributes: {} }, links, 'operator', 'test');
    world = createWorld(run.moods, now);
    const results: Record<string, string> = {};
    const passwords = { first: 'The first password', second: 'The second password' };
    const playing = (name: 'first' | 'second'): Player =>
      player(async () => {
        const { source } = run[name];
        const seen = source === null ? null : await world.changeThere(source, passwords[name]);
        if (seen !== null) await turn();
        results[name] = await bring(person, passwords[name], seen);
        await turn();
        if (results[name].startsWith('chg_')) await carryOut(results[name]);
      });
    const players = { first: playing('first'), second: playing('second') };
    const echoes: string[] = [];
    const relay = async () => {
      const seen = world.relay.shift();
      if (seen !== undefined) echoes.push(await bring(person, seen.password, seen));
    };
    for (let step = 0; step < run.ahead && !players.first.over; step++) await players.first.step();
    await pass(run.apartMs);
    await players.second.step();
    for (const who of run.order)
      if (who === 'relay') await relay();
      else if (who === 'nobody') await pass(run.apartMs);
      else if (!players[who].over) await players[who].step();
    while (!players.first.over || !players.second.over)
      for (const one of Object.values(players)) if (!one.over) await one.step();
    while (world.relay.length > 0) await relay();

    expect(results.second).toMatch(/^chg_/);
    expect(Object.values(world.holds)).toEqual(names.map(() => passwords.second));
    expect(echoes.filter((result) => result.startsWith('chg_'))).toEqual([]);
    expect(world.repeats).toEqual([]);
  }

  test(keeps(
    'whatever the order of their steps, the newest is what every account ends with',
    12,
  ), async () => {
    await fc.assert(fc.asyncProperty(runs, play), { numRuns: 80 });
    expect(await brokenInvariants(database.db)).toEqual({});
  }, 180_000);

  test('what an account was proved to hold before another change was accepted starts none', async () => {
    const name = `person-${randomBytes(6).toString('hex')}`;
    const links = names.map((source) => ({ source, name, nativeId: null, primary: true }));
    await saveIdentity(database.db, { name, attributes: {} }, links, 'operator', 'test');
    const asked = await findIdentity(database.db, { name });
    const proved = {
      accountId: asked?.accounts[0]?.id ?? '',
      capturedAt: new Date(await now()),
      group: groupsOf(configuration)[0]?.name ?? '',
      checksCurrent: false,
      looksFirst: true,
      lastSeq: asked?.lastSeq ?? 0,
    };
    const take = () =>
      acceptRequest(api, caller, {
        person: { name },
        group: null,
        passwords: inPlaintext(Secret.fromText('The one that was proved'), null),
        idempotencyKey: null,
        capture: null,
        proved,
      });
    await bring(name, 'The one that was accepted meanwhile', null);
    await expect(take()).rejects.toMatchObject({ why: 'stale' });
    expect((await findIdentity(database.db, { name }))?.lastSeq).toBe(proved.lastSeq + 1);
  });
});

interface World {
  readonly holds: Record<Name, string>;
  readonly seen: readonly Seen[];
  /** What we wrote, as the relay of the source brings it back. */
  readonly relay: Seen[];
  /** Writes of what the account held already: a history rule would refuse them. */
  readonly repeats: Name[];
  changeThere(source: Name, password: string): Promise<Seen>;
  connector(source: Name): Connector;
}

function createWorld(moods: readonly Mood[], now: () => Promise<number>): World {
  const left = [...moods];
  const holds: Record<Name, string> = { directory: 'old', apps: 'old', crm: 'old' };
  const seen: Seen[] = [];
  const relay: Seen[] = [];
  const repeats: Name[] = [];
  const put = async (source: Name, password: string): Promise<Seen> => {
    holds[source] = password;
    const one = { source, password, at: await now() };
    seen.push(one);
    return one;
  };
  return {
    holds,
    seen,
    relay,
    repeats,
    changeThere: put,
    connector: (source) => ({
      find: () => Promise.reject(new Error('nobody asks')),
      list: () => Promise.reject(new Error('nobody asks')),
      state: () => Promise.reject(new Error('nobody asks')),
      async setPassword({ password }) {
        const mood = left.shift() ?? 'works';
        await turn();
        if (mood === 'away') return { result: 'retry', reason: 'unreachable', vendorCode: null };
        if (holds[source] === password.text()) repeats.push(source);
        relay.push(await put(source, password.text()));
        await turn();
        return mood === 'lost' ? { result: 'ambiguous', vendorCode: null } : { result: 'applied' };
      },
      async verify({ password }) {
        await turn();
        return holds[source] === password.text()
          ? { result: 'holds', proof: 'login' }
          : { result: 'differs', vendorCode: null };
      },
      check: async () => [],
      close: async () => {},
    }),
  };
}
