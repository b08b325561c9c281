import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { startTestLookup, type TestLookup } from '../support/lookup';
import { describeWith } from '../support/servers';

const examples = path.resolve(__dirname, '../../docs/examples');
const WORD = 'it\'s "quoted" \\ 🔐 word';
const source = 'warehouse';
const administrators = { identities: ['clerk'] };
const applications = {
  wiki: { source, administrators, tickets: { allowed: true } },
  mainframe: { source, administrators, hostInitiated: true, leadsTo: 'wiki' },
};

/** The example clients of the documentation. */
describeWith(['postgres'], 'the example clients of the lookup service', () => {
  let lookup: TestLookup;
  const files: Record<string, string> = {};

  beforeAll(async () => {
    lookup = await startTestLookup({ people: ['alice', 'clerk'] });
    await lookup.configure(applications);
    for (const application of Object.keys(applications))
      await lookup.store('alice', application, WORD);
    const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-lookup-'));
    for (const person of ['alice', 'clerk']) {
      const file = path.join(dir, person);
      writeFileSync(file, `${lookup.keyOf(person).key}\n`, { mode: 0o600 });
      files[person] = file;
    }
  });
  afterAll(() => lookup.stop());

  const clients = [
    ['lookup.py', 'python3'],
    ['lookup.mjs', process.execPath],
    ['lookup.sh', 'sh'],
  ] as const;

  const run = async (
    program: string,
    file: string,
    person: string,
    args: string[],
    input = '',
    url = lookup.url,
  ) => {
    const all = [path.join(examples, file), url, files[person] ?? 'no-such.key', ...args];
    const child = spawn(program, all);
    child.stdin.end(input);
    const [out, error] = [text(child.stdout), text(child.stderr)];
    const [code] = (await once(child, 'exit')) as [number];
    return { code, out: await out, all: `${await out}${await error}` };
  };
  const credential = { application: 'wiki', userId: 'alice', password: WORD };

  test.each(clients)(
    '%s reads a credential, and exchanges a ticket and a sign-in for one',
    async (file, program) => {
      const read = await run(program, file, 'alice', ['read', 'wiki']);
      expect(JSON.parse(read.out)).toMatchObject(credential);
      const { out } = await run(program, file, 'alice', ['ticket', 'wiki']);
      const { ticket } = JSON.parse(out) as { ticket: string };
      const redeemed = await run(program, file, 'clerk', ['redeem', 'wiki', 'alice'], ticket);
      expect(JSON.parse(redeemed.out)).toMatchObject(credential);
      const signIn = ['sign-in', 'mainframe', 'alice'];
      const signedIn = await run(program, file, 'clerk', signIn, `${WORD}\n`);
      expect(JSON.parse(signedIn.out)).toMatchObject(credential);
    },
  );

  test.each(clients)('%s shows a refusal and fails', async (file, program) => {
    const refused = await run(program, file, 'alice', ['read', 'unknown']);
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.all).toMatch(
      /^The lookup service returns no credential .* shows the reason\.\n$/,
    );
    expect(refused.all).toContain('"lockstep audit --action credential.refused"');
  });

  test.each(clients)(
    '%s says in one line that the service cannot be reached',
    async (file, program) => {
      const unreachable = await run(
        program,
        file,
        'alice',
        ['read', 'wiki'],
        '',
        'http://127.0.0.1:1',
      );
      expect([unreachable.code, unreachable.out]).toEqual([1, '']);
      expect(unreachable.all).toMatch(/^The lookup service cannot be reached.*\n$/);
    },
  );

  test.each(clients)(
    '%s says in one line what is wrong with its arguments',
    async (file, program) => {
      for (const args of [[], ['read'], ['frobnicate', 'wiki'], ['redeem', 'wiki']]) {
        const wrong = await run(program, file, 'alice', args);
        expect([wrong.code, wrong.out]).toEqual([2, '']);
        expect(wrong.all).toMatch(/^Usage: .* sign-in APP USERID\n$/);
      }
      const keyless = await run(program, file, 'nobody', ['read', 'wiki']);
      expect([keyless.code, keyless.out]).toEqual([1, '']);
      expect(keyless.all).toMatch(/^[^\n]+\n$/);
    },
  );

  test.each(clients)('%s is at most 36 lines long', (file) => {
    const lines = readFileSync(path.join(examples, file), 'utf8').split('\n');
    expect(lines.length).toBeLessThanOrEqual(36);
  });
});
