import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { inheritedEnvironment } from '../../config';
import { describeWith } from '../support/servers';
import { compiler } from '../support/shims';

const root = path.resolve(__dirname, '..', '..');
const run = promisify(execFile);

/** As built: `npm test` has seen to that. */
const bench = (...args: string[]) =>
  run(process.execPath, ['dist/bench/main.js', ...args], {
    cwd: root,
    env: inheritedEnvironment(),
  });

const kept = () =>
  readdirSync(path.join(root, '.lockstep')).filter((name) => name.startsWith('bench-'));

describeWith(['slapd', 'postgres', 'temporal'], 'npm run bench', () => {
  test('with --quick and --json: what a change costs the engine, and every other promised number', async () => {
    const before = kept();
    const { stdout, stderr } = await bench('--quick', '--json');
    const told = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    // These are exact on every machine; how fast it is depends on who else uses this one.
    expect(told.eventsPerChange).toBeLessThanOrEqual(10);
    expect(told.transitionsPerChange).toBeLessThanOrEqual(3);
    const many = told.details.singles.find((one: { accounts: number }) => one.accounts === 1000);
    expect(many.history.events).toBeLessThanOrEqual(30);
    const speeds = [
      ...['1', '16', '64'].map((inFlight) => told.ratio[inFlight]),
      told.verdictP50Ratio,
      told.accounts1000Ratio,
      ...(process.platform === 'linux' ? [told.workerRssMiB] : []),
    ];
    for (const value of speeds) expect(value).toBeGreaterThan(0);
    for (const ratio of Object.values(told.ratio)) expect(ratio).toBeLessThan(1);
    expect(stdout).toContain('events a change (5 accounts in 2 sources, nothing waits)');
    expect(stderr).toContain('with proof, 16 in flight');
    expect(kept()).toEqual(before);
  }, 300_000);

  const withCompiler = compiler === null ? test.skip : test;
  withCompiler(
    'captures --quick --json: from a change in its source to the last target, by each way',
    async () => {
      const before = kept();
      const { stdout } = await bench('captures', '--quick', '--json');
      const { captures } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
      expect(captures.length).toBeGreaterThan(1);
      for (const { delayMs, perSecond } of captures) {
        expect(delayMs.p95).toBeGreaterThanOrEqual(delayMs.p50);
        expect(perSecond).toBeGreaterThan(0);
      }
      expect(kept()).toEqual(before);
    },
    300_000,
  );

  test('--help teaches without starting anything', async () => {
    const { stdout } = await bench('--help');
    expect(stdout).toContain('--quick');
    expect(stdout).toContain('npm run bench -- --json');
  });
});
