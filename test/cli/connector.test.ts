import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describeWith } from '../support/servers';
import { type Ended, lockstep } from './run-cli';

const root = path.resolve(__dirname, '../..');

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'connectors-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Writes a shell program that answers each operation with the given command. @returns the path of a configuration that names it */
function source(answers: Readonly<Record<string, string>>, settings = ''): string {
  const file = path.join(dir, 'program');
  const cases = Object.entries(answers).map(
    ([operation, answer]) => `*'"${operation}"'*) ${answer};;`,
  );
  writeFileSync(
    file,
    `#!/bin/sh\nread -r request\ncase "$request" in\n${cases.join('\n')}\n*) echo '{"result":"failed","reason":"not_supported"}';;\nesac\n`,
  );
  chmodSync(file, 0o755);
  const yaml = path.join(dir, 'lockstep.yaml');
  writeFileSync(
    yaml,
    `version: 1\nsources:\n  hub:\n    kind: command\n    settings:\n      command: ${file}\n${settings || '      proof: none\n'}`,
  );
  return yaml;
}

const trial = (file: string, ...more: string[]): Promise<Ended> =>
  lockstep(['connector', 'test', 'hub', '-f', file, '--account', 'ada', ...more]);

const APPLIED = `echo '{"result":"applied"}'`;

describeWith(['nginx'], 'lockstep connector test', () => {
  test('lockstep connector test finds every promise kept for the example of docs/your-own-connector.md', async () => {
    const page = readFileSync(path.join(root, 'docs/your-own-connector.md'), 'utf8');
    const [, block = ''] = /```sh\n(.*?)```/s.exec(page) ?? [];
    const lines = block.trim().split('\n');
    const last = lines.pop()?.split(' ') ?? [];
    for (const line of lines) await promisify(execFile)('sh', ['-c', line], { cwd: root });
    expect(last.shift()).toBe('./lockstep');
    const { code, stdout } = await lockstep(last, { cwd: root });
    expect(stdout).toMatch(/^\d+ kept, 0 broken, 2 not tested\.$/m);
    expect(code).toBe(0);
    rmSync('/tmp/lockstep-example', { recursive: true });
    // The example starts Python 150 times, which takes longer where Python is started by a shim.
  }, 180_000);
});

describe('lockstep connector test with a connector that breaks promises', () => {
  test('lockstep connector test detects a program that reports success without writing, and says what to do', async () => {
    const file = source(
      { setPassword: APPLIED, verify: `echo '{"result":"holds","proof":"login"}'` },
      '      proof: login\n',
    );
    const { code, stdout } = await trial(file);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /✖ after a write, logins succeed.*\n +a login with another password succeeds\. Answer applied only when/,
    );
    expect(stdout).toMatch(/✖ verify answers holds for the right password and differs for another/);
  });

  test('lockstep connector test lists what it cannot test for a program without verification', async () => {
    const { code, stdout } = await trial(source({ setPassword: APPLIED }));
    expect(code).toBe(1);
    expect(stdout).toMatch(/✖ a write to an account that does not exist is rejected/);
    expect(stdout).toMatch(/- verify answers .*: not tested, it verifies no passwords/);
    expect(stdout).toMatch(/- list returns .*: not tested, it does not support list/);
  });

  test('lockstep connector test reports nothing else if the program cannot be run', async () => {
    const file = source({ setPassword: APPLIED });
    chmodSync(path.join(dir, 'program'), 0o644);
    const { code, stdout } = await trial(file);
    expect(code).toBe(1);
    expect(stdout).toMatch(/✖ check: program\n.*chmod 755/s);
    expect(stdout).toMatch(/^0 kept, 1 broken, 0 not tested\.$/m);
  });

  test('lockstep connector test -o json prints every case and no password', async () => {
    const { code, stdout } = await trial(source({ setPassword: 'cat' }), '-o', 'json');
    expect(code).toBe(1);
    const { ok, cases } = JSON.parse(stdout);
    expect(ok).toBe(false);
    expect(cases.map(({ title }: { title: string }) => title)).toContain(
      'a write transmits every byte of the password: emoji',
    );
    expect(stdout).not.toMatch(/Keep-[\w-]{12}-7!/);
  });

  test('lockstep connector test reports an error in the configuration with line and column', async () => {
    const file = source({}, '      prof: none\n');
    const { code, stderr } = await trial(file);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /lockstep\.yaml:7:7 +sources\.hub\.settings\.prof: is not a known field/,
    );
  });

  test('lockstep connector test exits with 2 for an unknown source or a missing account, and lists the sources', async () => {
    const file = source({});
    const unknown = await lockstep(['connector', 'test', 'hbu', '-f', file, '--account', 'ada']);
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringMatching(/It has hub\./) });
    expect(await lockstep(['connector', 'test', 'hub', '-f', file])).toMatchObject({ code: 2 });
  });
});
