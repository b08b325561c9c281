import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration, planned } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { changeOf } from './accepted';
import { lockstep, lockstepAt, shown } from './run-cli';

const CANARY = 'Canary-7c1f, a long one, of which the end counts: "quoted"-Zürich-4242';
/** Memory that was given back has lost its beginning. */
const END = CANARY.slice(-22);

/** What a string may become on its way. */
const forms = (text: string): Buffer[] => [
  Buffer.from(text, 'utf8'),
  Buffer.from(text, 'utf16le'),
  Buffer.from(JSON.stringify(text).slice(1, -1), 'utf8'),
];

test.each([['--password', CANARY], [`--password=${CANARY}`], ['--password']])(
  'a password on the command line is refused, and why: %s',
  async (...more) => {
    const { code, stdout, stderr } = await lockstep(['change', 'alice', ...more]);
    expect(code).toBe(2);
    expect(stderr).toContain('can be read by everybody on this machine');
    expect(stdout + stderr).not.toContain('Canary');
  },
);

test.each([
  [`--passwrod=${CANARY}`],
  [`-p=${CANARY}`],
  ['--pass', CANARY],
  ['bob', CANARY],
  ['--account', 'directory:alice', '--wait', '1', '--group', 'g', CANARY, CANARY],
])('a slip on the command line is refused without repeating it: %s', async (...more) => {
  const { code, stdout, stderr } = await lockstep(['change', 'alice', ...more]);
  expect(code).toBe(2);
  expect(stdout + stderr).not.toContain('Canary');
});

test('no source of the command asks for a password in the environment', () => {
  const folder = path.resolve(__dirname, '../../cli');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.ts')))
    expect(readFileSync(path.join(folder, file), 'utf8')).not.toMatch(/process\.env|PASSWORD\b/);
});

test('where libraries would print what passes through them, nothing is done', async () => {
  const env = { NODE_DEBUG: 'http', LOCKSTEP_API_KEY: `lks_${'0'.repeat(26)}_${'a'.repeat(43)}` };
  const { code, stderr } = await lockstep(['change', 'alice'], { env, stdin: CANARY });
  expect([code, stderr]).toEqual([2, expect.stringContaining('Unset NODE_DEBUG')]);
});

describeWith(['postgres'], 'while a change goes on', () => {
  let api: TestApi;
  const here = lockstepAt(() => api);

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
    await addPerson(api.database.db, 'alice');
  });
  afterAll(() => api.stop());

  test.each([
    ['refused by the policy', 'alice', ['--group', 'one-password'], 'Canary-7c'],
    ['of nobody', 'nobody', [], CANARY],
    ['of a wrong group', 'alice', ['--group', 'nothing'], CANARY],
    ['refused for its NUL', 'alice', [], `${CANARY}\0`],
  ])('a password that is %s is in no output', async (_what, who, more, password) => {
    for (const output of ['text', 'json']) {
      const args = ['change', who, ...more, '-o', output];
      const { code, stdout, stderr } = await here(args, { stdin: password });
      expect(code).toBeGreaterThan(0);
      expect(stdout + stderr).not.toContain('Canary');
    }
  });

  (process.platform === 'linux' ? test : test.skip)(
    'once it is sent, the password is nowhere in the process (skipped: needs /proc)',
    async () => {
      const found: string[] = [];
      const { code } = await here(['change', 'alice', '--watch'], {
        stdin: CANARY,
        meanwhile: async (running) => {
          await planned(api.database.db, await changeOf(api, 'alice'), 'alice');
          await shown(running, 'not begun');
          found.push(...searchMemory(running.pid, forms(END)));
          running.interrupt();
        },
      });
      expect([code, found]).toEqual([4, []]);
    },
  );
});

const CHUNK = 16 * 1024 * 1024;
const OVERLAP = 256;
/** V8 reserves far more than it uses. */
const RESERVED = 2 ** 30;

/** @returns the regions of the memory of a process, arguments and environment included, that hold one of these */
function searchMemory(pid: number, wanted: readonly Buffer[]): string[] {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const regions = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n');
  const chunk = Buffer.alloc(CHUNK + OVERLAP);
  const holds = (region: string): boolean => {
    const [from = 0, to = 0] = /^(\w+)-(\w+) rw/.exec(region)?.slice(1).map(hexadecimal) ?? [];
    if (to - from > RESERVED) return false;
    for (let at = from; at < to; at += CHUNK) {
      const length = Math.min(chunk.length, to - at);
      const read = readSafely(memory, chunk, length, at);
      if (wanted.some((form) => chunk.subarray(0, read).includes(form))) return true;
    }
    return false;
  };
  const found = regions.filter(holds);
  chunk.fill(0);
  closeSync(memory);
  return found;
}

const hexadecimal = (text: string): number => Number.parseInt(text, 16);

/** Some regions are reserved, not there. */
function readSafely(memory: number, into: Buffer, length: number, at: number): number {
  try {
    return readSync(memory, into, 0, length, at);
  } catch {
    return 0;
  }
}
