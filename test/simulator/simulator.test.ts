import { createSecretKey } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { accountRulesOf } from '../../connectors/registry';
import { createDatabase } from '../../local/postgres';
import { configurationSchema } from '../../model/configuration/document';
import { type Caller, callerOf, createApiKey } from '../../store/api-keys';
import { applyConfiguration } from '../../store/configuration/versions';
import { currentEpoch, signerKey } from '../../store/epochs';
import { ensureEpoch } from '../../store/worker/epochs';
import { openKeyDirectory, SIGNER_PUBLIC_FILE } from '../../store/worker/keys/key-directory';
import { describeWith, server } from '../support/servers';
import { wantedSeeds } from '../support/wanted-seeds';
import { faults } from './faults';
import { type GatedDatabase, openGatedDatabase } from './gated-database';
import { brokenPromises } from './promises';
import { seededRandom } from './random';
import { createScheduler, trackAll } from './scheduler';
import { type Fault, type Run, type Stage, simulate } from './simulate';

jest.mock('@temporalio/workflow', () => require('./temporal-workflow'));
jest.mock('@temporalio/activity', () => require('./temporal-activity'));

jest.mock('../../sealing/jwe', () => {
  const { trackAll } = require('./scheduler');
  return trackAll(jest.requireActual('../../sealing/jwe'));
});

jest.mock('../../store/ids', () => ({
  ...jest.requireActual('../../store/ids'),
  newId: require('./counted-ids').countedId,
}));

/** Schedules that broke a promise before a fix. */
const regressionSeeds = [41, 73, 93, 124];
const MOST_SEEDS_TO_NOTICE = 150;
/** A fault may keep a run from its end. */
const STEPS_WITH_FAULT = 2_000;
const PROGRESS_EVERY = 100;
const START = Date.parse('2026-01-01T08:00:00Z');

describeWith(['postgres'], 'the simulator', () => {
  let stage: Stage;
  let database: GatedDatabase;

  beforeAll(async () => {
    const url = await createDatabase(
      { url: server('postgres').url ?? '' },
      `simulated_${process.pid}`,
    );
    database = await openGatedDatabase(url);
    database.use(createScheduler(seededRandom(0), START), []);
    const { direct } = database;
    const keyDir = path.join(mkdtempSync(path.join(os.tmpdir(), 'lockstep-test-')), 'keys');
    const keys = await openKeyDirectory(keyDir);
    await ensureEpoch(direct, keys, 24);
    await applyConfiguration(
      direct,
      configurationSchema.parse({ version: 1, sources: {}, policies: {}, groups: {} }),
      0,
      'test',
      accountRulesOf,
    );
    const wanted = { name: 'test', scopes: ['admin' as const], groups: null, expiresAt: null };
    const { key } = await createApiKey(direct, wanted, 'test');
    const signer = signerKey(
      JSON.parse(readFileSync(path.join(keyDir, SIGNER_PUBLIC_FILE), 'utf8')),
    );
    const epoch = await currentEpoch(direct, signer);
    stage = {
      database,
      keys: trackAll(keys),
      caller: (await callerOf(direct, key)) as Caller,
      intake: {
        keyToSealTo: async () => epoch?.key ?? null,
        policyChecker: { violations: async () => [], close: async () => {} },
        settings: { fingerprintKey: createSecretKey(Buffer.alloc(32, 7)) },
      },
      startsAt: START,
    };
  });
  afterAll(() => database.close());

  async function play(
    seed: number,
    fault: Fault = {},
    mostSteps?: number,
  ): Promise<{ run: Run; broken: string[] }> {
    const run = await simulate(stage, seed, fault, mostSteps);
    return { run, broken: await brokenPromises(stage, run) };
  }

  function report(seed: number, { run, broken }: { run: Run; broken: string[] }): string[] {
    if (broken.length === 0) return [];
    const story = wantedSeeds.count === 1 ? [JSON.stringify(run.schedule), ...run.log] : [];
    const again = `LOCKSTEP_FIRST_SEED=${seed} LOCKSTEP_SEEDS=1 npm run torture`;
    return [[`seed ${seed} (repeat it with: ${again})`, ...broken, ...story].join('\n    ')];
  }

  test('Lockstep keeps promises I1 to I12 in every simulated schedule [rule 12]', async () => {
    const failures: string[] = [];
    const { first, count } = wantedSeeds;
    for (let seed = first; seed < first + count; seed++) {
      for (const failure of report(seed, await play(seed))) {
        failures.push(failure);
        process.stderr.write(`${failure}\n`);
      }
      const played = seed - first + 1;
      if (count > PROGRESS_EVERY && played % PROGRESS_EVERY === 0)
        process.stderr.write(`${played} of ${count} schedules, ${failures.length} failed\n`);
    }
    expect(failures).toEqual([]);
  }, 7_200_000);

  test('a seed determines the whole schedule, so that a failure can be reproduced', async () => {
    const first = await play(7);
    await play(8);
    const second = await play(7);
    expect(second.run.log).toEqual(first.run.log);
    expect(second.run.scheduler.now()).toBe(first.run.scheduler.now());
  }, 60_000);

  test.each(regressionSeeds)(
    'Lockstep keeps promises I1 to I12 in schedule %i, which once broke one',
    async (seed) => {
      expect(report(seed, await play(seed))).toEqual([]);
    },
    60_000,
  );

  test.each(Object.entries(faults))(
    'the simulator notices this planted fault: %s',
    async (_title, fault) => {
      const seen: string[] = [];
      const { from = 1 } = fault;
      for (let seed = from; seed < from + MOST_SEEDS_TO_NOTICE; seed++) {
        const { broken } = await play(seed, fault, STEPS_WITH_FAULT);
        seen.push(...broken);
        if (broken.some((finding) => finding.startsWith(fault.breaks))) return;
      }
      throw new Error(
        `not noticed in ${MOST_SEEDS_TO_NOTICE} schedules; found: ${seen.slice(0, 5).join('; ')}`,
      );
    },
    600_000,
  );
});
