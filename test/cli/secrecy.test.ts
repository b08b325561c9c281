import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import { startTestApi, type TestApi } from '../support/api';
import { addPerson, applyTestConfiguration, planned } from '../support/played-worker';
import { describeWith } from '../support/servers';
import { changeOf } from './accepted';
import { lockstep, lockstepAt, shown } from './run-cli';

const CANARY = 'Canary-7c1f, a long one, of which the end counts: "quoted"-Zürich-4242';
/** The end of the canary: freed memory may have lost the beginning. */
const END = CANARY.slice(-22);

/** The byte sequences that a string may have in memory. */
const forms = (text: string): Buffer[] => [
  Buffer.from(text, 'utf8'),
  Buffer.from(text, 'utf16le'),
  Buffer.from(JSON.stringify(text).slice(1, -1), 'utf8'),
];

test.each([['--password', CANARY], [`--password=${CANARY}`], ['--password']])(
  'the command line refuses a password as an argument and says why: %s',
  async (...more) => {
    const { code, stdout, stderr } = await lockstep(['change', 'alice', ...more]);
    expect(code).toBe(2);
    expect(stderr).toContain('Every user of this machine can read a password');
    expect(stdout + stderr).not.toContain('Canary');
  },
);

test.each([
  [`--passwrod=${CANARY}`],
  [`-p=${CANARY}`],
  ['--pass', CANARY],
  ['bob', CANARY],
  ['--account', 'directory:alice', '--wait', '1', '--group', 'g', CANARY, CANARY],
])('the command line refuses a mistyped argument without quoting it: %s', async (...more) => {
  const { code, stdout, stderr } = await lockstep(['change', 'alice', ...more]);
  expect(code).toBe(2);
  expect(stdout + stderr).not.toContain('Canary');
});

test('no file of the command line reads a password from the environment', () => {
  const folder = path.resolve(__dirname, '../../cli');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.ts')))
    expect(readFileSync(path.join(folder, file), 'utf8')).not.toMatch(/process\.env|PASSWORD\b/);
});

test('the command line refuses to run while libraries print debug output', async () => {
  const env = { NODE_DEBUG: 'http', LOCKSTEP_API_KEY: `lks_${'0'.repeat(26)}_${'a'.repeat(43)}` };
  const { code, stderr } = await lockstep(['change', 'alice'], { env, stdin: CANARY });
  expect([code, stderr]).toEqual([2, expect.stringContaining('Unset NODE_DEBUG')]);
});

describeWith(['postgres'], 'the secrecy of a password during a change', () => {
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
    ['for an unknown person', 'nobody', [], CANARY],
    ['for an unknown group', 'alice', ['--group', 'nothing'], CANARY],
    ['refused for its NUL', 'alice', [], `${CANARY}\0`],
  ])('a password that is %s appears in no output', async (_what, who, more, password) => {
    for (const output of ['text', 'json']) {
      const args = ['change', who, ...more, '-o', output];
      const { code, stdout, stderr } = await here(args, { stdin: password });
      expect(code).toBeGreaterThan(0);
      expect(stdout + stderr).not.toContain('Canary');
    }
  });

  (process.platform === 'linux' ? test : test.skip)(
    'the memory of the process does not contain the password after it is sent (skipped: needs /proc)',
    async () => {
      const found: string[] = [];
      const { code } = await here(['change', 'alice', '--watch'], {
        stdin: CANARY,
        during: async (running) => {
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
/** Larger regions are only reserved: V8 reserves far more memory than it uses. */
const RESERVED = 2 ** 30;

/** Searches the memory of a process, including arguments and environment. @returns the regions that contain a wanted form */
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

/** Reads memory; 0 bytes for a region that is reserved but not mapped. */
function readSafely(memory: number, into: Buffer, length: number, at: number): number {
  try {
    return readSync(memory, into, 0, length, at);
  } catch {
    return 0;
  }
}
