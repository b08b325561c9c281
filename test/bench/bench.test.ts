import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { inheritedEnvironment } from '../../config';
import { longTest } from '../support/long';
import { describeWith } from '../support/servers';
import { compiler } from '../support/shims';

const root = path.resolve(__dirname, '..', '..');
const run = promisify(execFile);

/** Runs the built bench, which `npm test` builds first. */
const bench = (...args: string[]) =>
  run(process.execPath, ['dist/bench/main.js', ...args], {
    cwd: root,
    env: inheritedEnvironment(),
  });

const kept = () =>
  readdirSync(path.join(root, '.lockstep')).filter((name) => name.startsWith('bench-'));

describeWith(['slapd', 'postgres', 'temporal'], 'npm run bench', () => {
  longTest(
    '--quick --json reports every promised number, and a change stays within the promised number of events',
    async () => {
      const before = kept();
      const { stdout, stderr } = await bench('--quick', '--json');
      const results = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
      // These numbers are the same on every machine, whereas speed depends on its load.
      expect(results.eventsPerChange).toBeLessThanOrEqual(10);
      expect(results.transitionsPerChange).toBeLessThanOrEqual(3);
      const many = results.details.singles.find(
        ({ accounts }: { accounts: number }) => accounts === 1000,
      );
      expect(many.history.events).toBeLessThanOrEqual(30);
      const speeds = [
        ...['1', '16', '64'].map((inFlight) => results.ratio[inFlight]),
        results.floorRatio,
        results.verdictP50Ratio,
        results.accounts1000Ratio,
        ...(process.platform === 'linux' ? [results.workerRssMiB, results.cpuMsPerChange] : []),
      ];
      for (const value of speeds) expect(value).toBeGreaterThan(0);
      for (const ratio of Object.values(results.ratio)) expect(ratio).toBeLessThan(1);
      expect(stdout).toContain('events a change (5 accounts, nothing waits)');
      expect(stdout).toContain('--quick: too short');
      expect(stderr).toContain('with proof, 16 in flight');
      expect(kept()).toEqual(before);
    },
    300_000,
  );

  test('lookup --quick --json reports the speed of each request to the lookup service', async () => {
    const before = kept();
    const { stdout } = await bench('lookup', '--quick', '--json');
    const { lookup } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    expect(lookup).toHaveLength(4);
    for (const { ms, perSecond } of lookup) {
      expect(ms.p99).toBeGreaterThanOrEqual(ms.p50);
      expect(perSecond).toBeGreaterThan(0);
    }
    expect(kept()).toEqual(before);
  }, 120_000);

  const withCompiler = compiler === null ? test.skip : longTest;
  withCompiler(
    'captures --quick --json reports the delay and the rate of each way to capture',
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

  test('--help prints examples without starting a server', async () => {
    const { stdout } = await bench('--help');
    expect(stdout).toContain('--quick');
    expect(stdout).toContain('npm run bench -- --json');
  });
});
