import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { inheritedEnvironment } from '../../config';
import { refuseDeprecations } from './deprecations';

const run = promisify(execFile);
const swc = {
  jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
  module: { type: 'commonjs' },
};
const WARNING = 'Calling client.query() is deprecated and will be removed in pg@9.0.';

describe('a deprecation warning of pg', () => {
  let dir: string;
  beforeAll(() => {
    dir = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'lockstep-warning-')));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  /** @returns the status of each test of a run whose second test emits the warning */
  async function statuses(warning: string, type: string): Promise<unknown> {
    writeFileSync(
      path.join(dir, 'one.test.js'),
      `test('before', () => {});
       test('warns', () => process.emitWarning(${JSON.stringify(warning)}, ${JSON.stringify(type)}));
       test('after', () => {});`,
    );
    const settings = {
      rootDir: dir,
      // For the environment, which is TypeScript.
      transform: { '\\.ts$': [require.resolve('@swc/jest'), swc] },
      testEnvironment: path.resolve(__dirname, 'no-deprecations.ts'),
    };
    const jest = path.resolve(__dirname, '../../node_modules/jest/bin/jest.js');
    const args = [jest, '--json', '--config', JSON.stringify(settings)];
    const options = { env: inheritedEnvironment(), cwd: dir };
    const { stdout } = await run(process.execPath, args, options).catch(
      (failed: { stdout: string }) => failed,
    );
    const [suite] = JSON.parse(stdout).testResults;
    return suite.assertionResults.map(({ status }: { status: string }) => status);
  }

  test('fails the test that causes it, and no other test', async () => {
    expect(await statuses(WARNING, 'DeprecationWarning')).toEqual(['passed', 'failed', 'passed']);
  });

  test('is the only warning that fails a test', async () => {
    const passed = ['passed', 'passed', 'passed'];
    expect(await statuses('The punycode module is deprecated.', 'DeprecationWarning')).toEqual(
      passed,
    );
  });

  test('fails the suite that finds it in the log of a process', () => {
    const log = path.join(dir, 'api.log');
    writeFileSync(log, '{"level":"info"}\n');
    expect(() => refuseDeprecations(log)).not.toThrow();
    writeFileSync(log, `{"level":"info"}\n(node:1) DeprecationWarning: ${WARNING}\n`);
    expect(() => refuseDeprecations(log)).toThrow(WARNING);
  });
});
