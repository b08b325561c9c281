import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { command } from '../../connectors/command/kind';
import type { Connector } from '../../connectors/contract';
import { Secret } from '../../model/passwords/secret';
import { until } from '../support/until';
import type { Settings } from './conformance/subject';
import { asking } from './requests';

/** What the kind `command` does with programs that misbehave. */

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(path.join(os.tmpdir(), 'programs-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

let made = 0;

/** Writes a shell script to the test folder, in which it also runs. */
function program(script: string): string {
  const file = path.join(dir, `program-${++made}`);
  writeFileSync(file, `#!/bin/sh\ncd "${dir}"\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}

const open = (file: string, changes: Settings = {}): Promise<Connector> =>
  command.open(command.settings.parse({ command: file, proof: 'login', ...changes }), {
    resolve: () => Secret.fromText(''),
    commandDir: dir,
  });

const ada = { name: 'ada', nativeId: null };
const PASSWORD = 'Something-only-here-42!';

async function write(connector: Connector, text = PASSWORD) {
  const password = Secret.fromText(text);
  const answer = await connector.setPassword(asking(ada, password));
  password.destroy();
  return answer;
}

async function verify(connector: Connector) {
  return connector.verify(asking(ada, Secret.fromText(PASSWORD)));
}

const answering = (answer: object) => program(`cat >/dev/null\necho '${JSON.stringify(answer)}'`);

const ENDLESS = 'sleep 600';

describe('the result of a program', () => {
  const rows: readonly [string, string, object, object][] = [
    [
      'a program with another exit code than 0 leaves the write in doubt, whatever it answered',
      `cat >/dev/null; echo '{"result":"applied"}'; echo oops >&2; exit 3`,
      { result: 'ambiguous', vendorCode: 'exit_3.stderr_5' },
      { result: 'inconclusive', reason: 'unknown', vendorCode: 'exit_3.stderr_5' },
    ],
    [
      'a program with exit code 75 has done nothing, so the write can be retried',
      'exit 75',
      { result: 'retry', reason: 'busy' },
      { result: 'inconclusive', reason: 'busy' },
    ],
    [
      'a program whose interpreter is missing leaves the write in doubt',
      'exec /nowhere/python',
      { result: 'ambiguous', vendorCode: expect.stringMatching(/^exit_127/) },
      { result: 'inconclusive', reason: 'unknown' },
    ],
    [
      'a program without an answer leaves the write in doubt',
      'cat >/dev/null',
      { result: 'ambiguous', vendorCode: 'not_json' },
      { result: 'inconclusive', reason: 'unknown' },
    ],
    [
      'a program with two answers leaves the write in doubt',
      `echo '{"result":"applied"}{"result":"holds","proof":"login"}'`,
      { result: 'ambiguous', vendorCode: 'not_json' },
      { result: 'inconclusive', reason: 'unknown' },
    ],
    [
      'an answer with an unknown field leaves the write in doubt',
      `echo '{"result":"applied","done":true}'`,
      { result: 'ambiguous', vendorCode: 'not_an_answer' },
      { result: 'inconclusive', reason: 'unknown', vendorCode: 'not_an_answer' },
    ],
    [
      'an answer with a reason that only Lockstep can give leaves the write in doubt',
      `echo '{"result":"rejected","reason":"no_longer_authorized"}'`,
      { result: 'ambiguous', vendorCode: 'not_an_answer' },
      { result: 'inconclusive', reason: 'unknown' },
    ],
    [
      'a program that writes more than a megabyte is killed',
      'yes',
      { result: 'ambiguous', vendorCode: 'too_much' },
      { result: 'inconclusive', reason: 'unknown', vendorCode: 'too_much' },
    ],
    [
      'a program that kills itself leaves the write in doubt',
      'kill -9 $$',
      { result: 'ambiguous', vendorCode: expect.stringMatching(/^(signal|exit_137)/) },
      { result: 'inconclusive', reason: 'unknown' },
    ],
    [
      'a program that does not end is killed in time',
      ENDLESS,
      { result: 'ambiguous', vendorCode: 'timeout' },
      { result: 'inconclusive', reason: 'unreachable', vendorCode: 'timeout' },
    ],
  ];
  test.each(rows)('%s', async (_title, script, ofWrite, ofVerify) => {
    const endless = script === ENDLESS ? { timeoutMs: 1_000 } : {};
    const connector = await open(program(script), endless);
    expect(await write(connector)).toEqual(expect.objectContaining(ofWrite));
    expect(await verify(connector)).toEqual(expect.objectContaining(ofVerify));
  });

  test('a program that does not exist or is not executable leads to retry with unreachable, without doubt', async () => {
    const closed = program('');
    chmodSync(closed, 0o644);
    for (const [file, vendorCode] of [
      [path.join(dir, 'nothing'), 'ENOENT'],
      [closed, 'EACCES'],
    ] as const)
      expect(await write(await open(file))).toEqual({
        result: 'retry',
        reason: 'unreachable',
        vendorCode,
      });
    const nowhere = await open(program(''), { workingDirectory: '/nowhere' });
    expect(await write(nowhere)).toMatchObject({ result: 'retry', vendorCode: 'ENOENT' });
  });

  test('a program outside LOCKSTEP_COMMAND_DIR is not run, whatever path names it', async () => {
    const file = program('touch was-run');
    const settings = (name: string) => command.settings.parse({ command: name, proof: 'none' });
    const resolve = () => Secret.fromText('');
    for (const [name, commandDir] of [
      [file, undefined],
      [file, path.join(dir, 'deeper')],
      [file, dir.slice(0, -1)],
      [`/usr/bin/../..${file}`, '/usr'],
    ] as const) {
      const connector = await command.open(settings(name), { resolve, commandDir });
      expect(await write(connector)).toMatchObject({ result: 'retry', vendorCode: 'not_allowed' });
      expect(await connector.check()).toMatchObject([{ check: 'allowed', verdict: 'wrong' }]);
    }
    expect(existsSync(path.join(dir, 'was-run'))).toBe(false);
  });
});

describe('a password on its way to a program', () => {
  const awkward = {
    quotes: `"it's" \\ "`,
    emoji: '🔑👩‍👩‍👧',
    'control characters': `${String.fromCharCode(...Array.from({ length: 31 }, (_, at) => at + 1))}\u007f\u0085`,
    'line ends of Unicode': 'a\u2028b\u2029c',
    'no characters': '',
  };
  test.each(Object.entries(awkward))(
    'a program gets a password with %s unchanged, in one line',
    async (_, text) => {
      const connector = await open(program(`cat >seen; echo '{"result":"applied"}'`));
      expect(await write(connector, text)).toMatchObject({ result: 'applied' });
      const seen = readFileSync(path.join(dir, 'seen'), 'utf8');
      expect(JSON.parse(seen)).toEqual({
        ...{ version: 1, operation: 'setPassword' },
        account: ada,
        password: text,
      });
      expect(seen.indexOf('\n')).toBe(seen.length - 1);
    },
  );

  test('a program that needs the old password gets it with the new one, and cannot repeat it', async () => {
    const old = 'Something-older-41!';
    const connector = await open(
      program(`cat >seen; echo '{"result":"rejected","reason":"policy","vendorCode":"${old}"}'`),
    );
    const oldPassword = Secret.fromText(old);
    const request = { ...asking(ada, Secret.fromText(PASSWORD)), oldPassword };
    expect(await connector.setPassword(request)).toEqual({
      result: 'rejected',
      reason: 'policy',
      vendorCode: null,
    });
    const seen = readFileSync(path.join(dir, 'seen'), 'utf8');
    expect(JSON.parse(seen)).toMatchObject({ password: PASSWORD, oldPassword: old });
  });

  test('the password is neither in the arguments nor in the environment, which contains no variables of the worker', async () => {
    const file = program(
      `cat /proc/$$/cmdline /proc/$$/environ >seen; echo '{"result":"applied"}'`,
    );
    await write(await open(file, { arguments: ['$HOME; one'], environment: ['HOME'] }));
    const seen = readFileSync(path.join(dir, 'seen'), 'utf8').split('\0').slice(0, -1);
    const searchPath = 'PATH=/usr/local/bin:/usr/bin:/bin';
    expect(new Set(seen)).toEqual(
      new Set(['/bin/sh', file, '$HOME; one', searchPath, 'LANG=C.UTF-8', `HOME=${os.homedir()}`]),
    );
  });

  test('text of an answer that repeats the password is dropped', async () => {
    const moved = await open(
      answering({ result: 'applied', account: { name: 'ada', nativeId: `x${PASSWORD}` } }),
    );
    expect(await write(moved)).toEqual({ result: 'applied' });
    const code = 'Only-A-Code';
    const refused = await open(
      answering({ result: 'rejected', reason: 'policy', vendorCode: code }),
    );
    expect(await write(refused)).toMatchObject({ vendorCode: code });
    expect(await write(refused, 'A-Code')).toMatchObject({ reason: 'policy', vendorCode: null });
    const differs = await open(answering({ result: 'differs', vendorCode: code }));
    const password = Secret.fromText('Only');
    expect(await differs.verify(asking(ada, password))).toEqual({
      result: 'differs',
      vendorCode: null,
    });
  });
});

describe('the end of a program', () => {
  /** Whether a process is running. A zombie is not. */
  const lives = (pid: string): boolean => {
    try {
      return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid.trim()}/stat`, 'utf8'));
    } catch {
      return false;
    }
  };
  const pidIn = (file: string) => readFileSync(path.join(dir, file), 'utf8');
  const withChild = (file: string) =>
    program(`sleep 600 & echo $! >${file}.new; mv ${file}.new ${file}; wait`);

  test('a program that exceeds its time is killed with the processes that it started', async () => {
    const connector = await open(withChild('slow'), { timeoutMs: 500 });
    expect(await write(connector)).toMatchObject({ result: 'ambiguous', vendorCode: 'timeout' });
    await until(() => !lives(pidIn('slow')));
  });

  test('a process that leaves the group and keeps stdout open does not delay the answer', async () => {
    const leaver = program(`setsid sleep 600 & echo $! >left; echo '{"result":"applied"}'`);
    const answer = await write(await open(leaver, { timeoutMs: 500 }));
    // The test would time out before the process that keeps stdout open ends.
    expect(answer).toMatchObject({ result: 'ambiguous', vendorCode: 'timeout' });
    process.kill(Number(pidIn('left')));
  });

  test('a program ends even if the worker is killed', async () => {
    const file = withChild('orphan');
    const script = `
      const { command } = require('${path.resolve('connectors/command/kind.ts')}');
      const { Secret } = require('${path.resolve('model/passwords/secret.ts')}');
      const settings = command.settings.parse({ command: '${file}', proof: 'none', timeoutMs: 1000 });
      command.open(settings, { commandDir: '${dir}' }).then((connector) =>
        connector.setPassword({
          ...{ account: { name: 'a', nativeId: null }, password: Secret.fromText('b') },
          ...{ form: 'plaintext', salt: Buffer.alloc(16) },
        }));`;
    const hook = path.resolve('test/support/typescript.cjs');
    const worker = spawn(process.execPath, ['-r', hook, '-e', script], { stdio: 'ignore' });
    await until(() => existsSync(path.join(dir, 'orphan')));
    worker.kill('SIGKILL');
    expect(lives(pidIn('orphan'))).toBe(true);
    await until(() => !lives(pidIn('orphan')));
  });

  test('no more programs run at the same time than the setting concurrency allows', async () => {
    const file = program(`
      touch "run.$$"; ls run.* | wc -l >>together; sleep 0.1; rm "run.$$"; echo '{"result":"applied"}'`);
    const connector = await open(file, { concurrency: 2 });
    const answers = await Promise.all(Array.from({ length: 8 }, () => write(connector)));
    expect(answers).toEqual(Array(8).fill({ result: 'applied' }));
    const together = pidIn('together').trim().split('\n').map(Number);
    expect(together).toHaveLength(8);
    expect(Math.max(...together)).toBe(2);
  });

  test('a request that gets no turn in time answers retry with busy, and is not sent', async () => {
    const connector = await open(program('sleep 600'), { concurrency: 1, timeoutMs: 500 });
    const answers = await Promise.all([write(connector), write(connector)]);
    expect(answers.map(({ result }) => result).sort()).toEqual(['ambiguous', 'retry']);
    expect(answers).toContainEqual({ result: 'retry', reason: 'busy', vendorCode: null });
  });
});

describe('accounts that a program returns', () => {
  const operations = ['find', 'list'];
  const account = (name: string) => ({ name, nativeId: null, attributes: { mail: [`${name}@x`] } });

  test('find drops accounts that do not match', async () => {
    const accounts = ['ada', 'bob', 'Ada'].map(account);
    const connector = await open(answering({ result: 'found', accounts }), { operations });
    expect(await connector.find({ match: { mail: 'ada@x' }, limit: 5 })).toEqual({
      result: 'found',
      accounts: [account('ada')],
    });
    expect(await connector.find({ match: { mail: 'ada@x', uid: 'a' }, limit: 5 })).toEqual({
      result: 'found',
      accounts: [],
    });
  });

  test('find fails for names with characters that a terminal or a database cannot handle', async () => {
    for (const name of ['a\u0000b', 'a\u001b[2Jb', '\ud800', '']) {
      const answer = { result: 'found', accounts: [account(name)] };
      const connector = await open(answering(answer), { operations });
      expect(await connector.find({ match: {}, limit: 5 })).toMatchObject({ result: 'failed' });
    }
  });

  test('list names each account that does not match the contract, and returns the others', async () => {
    const malformed = [
      { ...account('bob'), attributes: { mail: null } },
      { name: '', nativeId: '17', attributes: {} },
      { name: 'a\u001b[2Jb', nativeId: null, attributes: {} },
      null,
    ];
    const accounts = [account('ada'), ...malformed, account('eve')];
    const connector = await open(answering({ result: 'page', accounts, cursor: null }), {
      operations,
    });
    expect(await connector.list({ cursor: null, pageSize: 10 })).toEqual({
      result: 'page',
      accounts: [account('ada'), account('eve')],
      cursor: null,
      malformed: ['bob', '17', '#4', '#5'],
    });
  });

  test('find fails if an account that it returns does not match the contract, because that one may match too', async () => {
    const accounts = [account('ada'), { ...account('bob'), nativeId: 1.5 }];
    const connector = await open(answering({ result: 'found', accounts }), { operations });
    expect(await connector.find({ match: { mail: 'ada@x' }, limit: 5 })).toMatchObject({
      result: 'failed',
      reason: 'unknown',
    });
  });

  test('an answer about an account that the link does not mean is no success', async () => {
    const another = { reason: 'account_replaced', vendorCode: 'another_account' };
    const link = { name: 'ada', nativeId: 'a1' };
    for (const account of [
      { name: 'bob', nativeId: 'b2' },
      { name: 'ada', nativeId: 'b2' },
      { name: 'bob', nativeId: 'a1' },
    ]) {
      const written = await open(answering({ result: 'applied', account }));
      expect(await written.setPassword(asking(link, Secret.fromText(PASSWORD)))).toEqual({
        result: 'rejected',
        ...another,
      });
      const flags = { disabled: false, locked: false, mustChange: false, passwordChangedAt: null };
      const read = await open(answering({ result: 'state', account, ...flags }), {
        operations: ['state'],
      });
      expect(await read.state({ account: link })).toEqual({ result: 'failed', ...another });
    }
    const renamed = { result: 'applied', account: { name: 'bob', nativeId: 'a1' } };
    const lasting = await open(answering(renamed), { ids: 'lasting' });
    expect(await lasting.setPassword(asking(link, Secret.fromText(PASSWORD)))).toEqual(renamed);
  });

  test('an id that a program returns as a number is read as text', async () => {
    const accounts = [{ ...account('ada'), nativeId: 17 }];
    const connector = await open(answering({ result: 'found', accounts }), { operations });
    expect(await connector.find({ match: { mail: 'ada@x' }, limit: 5 })).toMatchObject({
      accounts: [{ nativeId: '17' }],
    });
  });

  test('list fails for a page whose cursor leads to the same page', async () => {
    const page = { result: 'page', accounts: [account('ada')], cursor: 'same' };
    const connector = await open(answering(page), { operations });
    expect(await connector.list({ cursor: null, pageSize: 1 })).toEqual(page);
    expect(await connector.list({ cursor: 'same', pageSize: 1 })).toMatchObject({
      result: 'failed',
      reason: 'unknown',
    });
  });

  test('a program is not called for an operation that it does not support', async () => {
    const connector = await open(program('touch called; cat'), { proof: 'none' });
    const no = { reason: 'not_supported' };
    expect(await connector.find({ match: {}, limit: 1 })).toMatchObject(no);
    expect(await connector.list({ cursor: null, pageSize: 1 })).toMatchObject(no);
    expect(await connector.state({ account: ada })).toMatchObject(no);
    expect(await verify(connector)).toMatchObject(no);
    expect(connector.policies).toBeUndefined();
    expect(existsSync(path.join(dir, 'called'))).toBe(false);
  });
});

describe('check', () => {
  const verdicts = async (file: string) =>
    (await (await open(file)).check()).map(({ check, verdict }) => [check, verdict]);
  const fine = [
    ['program', 'ok'],
    ['owner', 'ok'],
  ];

  test('check passes for a program without an operation check if it answers', async () => {
    const file = answering({ result: 'failed', reason: 'not_supported' });
    expect(await verdicts(file)).toEqual([...fine, ['answers', 'ok']]);
  });

  test('check reports the findings of the program itself', async () => {
    const findings = [{ check: 'service-login', verdict: 'wrong', says: 'It was renewed.' }];
    const file = answering({ result: 'findings', findings });
    expect(await verdicts(file)).toEqual([...fine, ['answers', 'ok'], ['service-login', 'wrong']]);
  });

  test('check fails for a program that does not answer', async () => {
    expect(await verdicts(program('exit 1'))).toEqual([...fine, ['answers', 'wrong']]);
  });

  test('check fails for a program that others may write, and for one that cannot be run', async () => {
    const file = answering({ result: 'failed', reason: 'not_supported' });
    chmodSync(file, 0o777);
    expect(await verdicts(file)).toEqual([['owner', 'wrong']]);
    chmodSync(file, 0o644);
    expect(await verdicts(file)).toEqual([['program', 'wrong']]);
    expect(await verdicts(path.join(dir, 'nothing'))).toEqual([['program', 'wrong']]);
  });
});

describe('settings', () => {
  const right = { command: '/opt/lockstep/hub', proof: 'none' };
  const accepts = (changes: object) => command.settings.safeParse({ ...right, ...changes }).success;

  test('the settings accept correct values', () => {
    expect(accepts({})).toBe(true);
    expect(accepts({ arguments: ['--file', '/srv/people'], environment: ['HOME'] })).toBe(true);
  });

  test.each([
    ['a program without its folder', { command: 'hub' }],
    ['a secret among the arguments', { arguments: ['${file:/run/secrets/hub}'] }],
    ['a variable of Lockstep', { environment: ['LOCKSTEP_KEY_DIR'] }],
    ['the database of Lockstep', { environment: ['DATABASE_URL'] }],
    ['a variable with its value', { environment: ['BASH_ENV=/tmp/x'] }],
    ['a time limit beyond the lease', { timeoutMs: 20_000 }],
    ['a missing proof', { proof: undefined }],
  ])('the settings reject %s', (_, changes) => {
    expect(accepts(changes)).toBe(false);
  });
});
