import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, copyFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { HandOverListener } from '../../capture/hand-over/listener';
import { onDebian, unpackedDebs } from '../../local/debian';
import { isRoot } from '../../local/places';
import {
  compiler,
  compileShim,
  listenAsRelay,
  openFolder,
  type ReceivedCapture,
} from '../support/shims';

/** Why the real chpasswd cannot be tested on this machine; null if it can. */
function hindrance(): string | null {
  if (compiler === null) return 'no C compiler';
  if (!isRoot || !onDebian()) return 'needs root on Debian';
  return spawnSync('unshare', ['--mount', 'true']).status === 0 ? null : 'no mount namespaces';
}

const why = hindrance();
const suite = why === null ? describe : describe.skip;

/** Runs the real chpasswd and pam_unix in a mount namespace with a copy of /etc. */
suite(`the PAM module${why === null ? '' : ` (skipped: ${why})`}`, () => {
  const folder = openFolder();
  const socket = path.join(folder, 'relay.sock');
  const etc = path.join(folder, 'etc');
  const received: ReceivedCapture[] = [];
  let relay: HandOverListener | null = null;

  beforeAll(async () => {
    const headers = await unpackedDebs('pam-headers', ['libpam0g-dev'], () => {});
    const module = compileShim('pam/pam_lockstep.c', `-I${headers}/usr/include`);
    cpSync('/etc', etc, { recursive: true, verbatimSymlinks: true });
    appendFileSync(path.join(etc, 'passwd'), 'ann:x:4711:4711::/:/bin/false\n');
    appendFileSync(path.join(etc, 'shadow'), 'ann:*:19000:0:99999:7:::\n');
    copyFileSync(module, path.join(folder, 'pam_lockstep.so'));
    stackOf('chpasswd', `optional ${folder}/pam_lockstep.so socket=${socket}`);
  });
  beforeEach(() => received.splice(0));
  afterEach(async () => {
    await relay?.close();
    relay = null;
  });

  // The folder holds a copy of files that only root may read.
  afterAll(() => rmSync(folder, { recursive: true }));

  function stackOf(service: string, ...more: string[]): void {
    const lines = ['requisite pam_unix.so sha512 minlen=8', ...more].map(
      (line) => `password ${line}`,
    );
    writeFileSync(path.join(etc, 'pam.d', service), `${lines.join('\n')}\n`);
  }
  /** @returns whether chpasswd reports success */
  async function chpasswd(user: string, password: string): Promise<boolean> {
    const script = 'mount --bind "$0" /etc && exec chpasswd';
    const child = spawn('unshare', ['--mount', 'sh', '-c', script, etc], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    child.stdin.end(`${user}:${password}\n`);
    const [code] = await once(child, 'exit');
    return code === 0;
  }
  const hashOf = (user: string): string =>
    readFileSync(path.join(etc, 'shadow'), 'utf8').match(
      new RegExp(`^${user}:([^:]*):`, 'm'),
    )?.[1] ?? '';
  /** Whether a password matches the stored hash, by crypt(3) itself. */
  const holds = (user: string, password: string): boolean => {
    const program =
      'use utf8; my ($h, $p) = map { chomp; $_ } <STDIN>; print crypt($p, $h) eq $h ? 1 : 0';
    return (
      execFileSync('perl', ['-e', program], {
        input: `${hashOf(user)}\n${password}\n`,
      }).toString() === '1'
    );
  };

  test.each([
    ['plain', 'correct horse battery staple'],
    ['quotes, colons and emoji', `it's "so": 🔐`],
  ])('the module hands over the stored password and its account: %s', async (_what, password) => {
    relay = await listenAsRelay(socket, received);
    expect(await chpasswd('ann', password)).toBe(true);
    expect(holds('ann', password)).toBe(true);
    expect(received).toEqual([{ account: 'ann', password }]);
  });

  test('a change that pam_unix refuses is not handed over', async () => {
    relay = await listenAsRelay(socket, received);
    const before = hashOf('ann');
    await chpasswd('nobody-of-that-name', 'correct horse battery staple');
    expect(received).toEqual([]);
    expect(hashOf('ann')).toBe(before);
  });

  test('a change succeeds while no relay answers', async () => {
    expect(await chpasswd('ann', 'no relay is listening')).toBe(true);
    expect(holds('ann', 'no relay is listening')).toBe(true);
  });
});
