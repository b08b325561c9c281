import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { HandOverListener } from '../../capture/hand-over/listener';
import { setUpRelay } from '../../capture/setup';
import { inheritedEnvironment } from '../../config';
import { holds } from '../../connectors/encodings';
import { administerDomain, type DomainAdmin } from '../../local/domain-admin';
import { freeLoopback, SAMBA_TOOL, type Samba, startSamba } from '../../local/samba';
import { readEncoded } from '../../model/hashes/encoding';
import { Secret } from '../../model/passwords/secret';
import { type Ended, lockstep, type RunOptions } from '../cli/run-cli';
import { describeWith } from '../support/servers';
import { listenAsRelay, type ReceivedCapture } from '../support/shims';
import { until } from '../support/until';

const hasGpg = spawnSync('gpg', ['--version']).status === 0;
const suite = hasGpg ? describe : describe.skip;

/** Runs the command as an administrator does, on a dedicated domain. The order matters: refusals, then hashes, then passwords. */
suite(`lockstep relay setup samba${hasGpg ? '' : ' (skipped: no gpg)'}`, () => {
  describeWith(['samba'], 'on a domain controller', () => {
    // A short name, because sockets are created below it.
    const dir = mkdtempSync(path.join(os.tmpdir(), 'ls-'));
    const place = path.join(dir, 'dc');
    const smbConf = path.join(place, 'smb.conf');
    /** The GNUPGHOME of Samba and of root. */
    const home = path.join(dir, 'gnupg');
    const elsewhere = path.join(dir, 'gnupg2');
    const received: ReceivedCapture[] = [];
    let samba: Samba;
    let admin: DomainAdmin;
    let relay: HandOverListener;
    let config = '';
    let restarts = 0;
    let beforeRestart = async () => {};
    const restarter = net.createServer(async (connection) => {
      await beforeRestart();
      await samba.restart();
      await admin.close();
      admin = await administerDomain(samba, place);
      restarts++;
      connection.end();
    });

    beforeAll(async () => {
      for (const gnupg of [home, elsewhere]) mkdirSync(gnupg, { mode: 0o700 });
      samba = await startSamba({
        dir: place,
        address: await freeLoopback(),
        realm: 'setup.lockstep.test',
        env: { GNUPGHOME: home },
      });
      admin = await administerDomain(samba, place);
      config = await setUpRelay({
        ...{ dir: path.join(dir, 'relay'), url: 'https://lockstep.example.com', source: 'domain' },
        caFile: null,
        register: async () => ({
          ...{ id: 'relay', key: 'key' },
          signer: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
        }),
      });
      mkdirSync(path.join(dir, 'relay/run'), { mode: 0o700 });
      relay = await listenAsRelay(path.join(dir, 'relay/run/capture.sock'), received);
      await new Promise<void>((resolve) => restarter.listen(path.join(dir, 'restart'), resolve));
    }, 180_000);
    beforeEach(() => {
      restarts = 0;
      beforeRestart = async () => {};
    });
    afterAll(async () => {
      restarter.close();
      await relay?.close();
      await admin?.close();
      await samba?.stop();
      for (const gnupg of [home, elsewhere])
        spawnSync('gpgconf', ['--homedir', gnupg, '--kill', 'all']);
      rmSync(dir, { recursive: true });
    });

    const restartCommand = `${process.execPath} -e "require('net').connect('${path.join(dir, 'restart')}').resume()"`;
    const setUp = (more: readonly string[] = [], gnupg = home, options: RunOptions = {}) =>
      lockstep(
        [
          ...['relay', 'setup', 'samba', '--config', config, '--smb-conf', smbConf],
          ...['--dir', path.join(dir, 'lib'), '--restart-command', restartCommand, ...more],
        ],
        { ...options, env: { GNUPGHOME: gnupg } },
      );
    const conf = () => readFileSync(smbConf, 'utf8');
    const newPerson = (name: string, password: string) =>
      admin.addUser(`CN=Users,${samba.base}`, name, Secret.fromText(password));
    const changesWork = () => admin.resetPassword(samba.adminDn, samba.adminPassword());
    const canaries = async () =>
      (await admin.client.search(samba.base, { filter: '(cn=lockstep-canary)' })).searchEntries;
    /** Creates a GnuPG key. @returns its fingerprint */
    const makeKey = (gnupg: string, name: string, ...kind: string[]): string => {
      const gpg = ['--homedir', gnupg, '--batch', '--pinentry-mode', 'loopback'];
      spawnSync('gpg', [...gpg, '--passphrase', '', '--quick-gen-key', name, ...kind]);
      const { stdout } = spawnSync('gpg', [...gpg, '--with-colons', '--list-keys', name]);
      return /^fpr:+([0-9A-F]+):/m.exec(stdout.toString())?.[1] ?? '';
    };
    const readers: ChildProcess[] = [];
    /** Starts the reader with the command that the set-up printed. */
    const handOver = ({ stdout }: Ended, gnupg = home): void => {
      const line = /^ {2}(?:GNUPGHOME=\S+ )?(\S+ \S+main\.py .*)$/m.exec(stdout)?.[1] ?? '';
      const [program = '', ...args] = line.split(' ');
      const env = { ...inheritedEnvironment(), GNUPGHOME: gnupg };
      readers.push(spawn(program, args, { env, stdio: 'ignore' }));
    };
    afterEach(async () => {
      for (const reader of readers.splice(0)) {
        const gone = new Promise((resolve) => reader.once('exit', resolve));
        if (reader.kill()) await gone;
      }
    });

    test('a dry run prints the steps and changes nothing', async () => {
      const before = conf();
      const { code, stdout } = await setUp(['--dry-run']);
      expect(stdout).toMatch(/Create a GnuPG key.*smb\.conf: password hash gpg key ids = .*\n/s);
      expect([code, conf(), existsSync(path.join(dir, 'lib')), restarts]).toEqual([
        0,
        before,
        false,
        0,
      ]);
    });

    test('the set-up refuses a key that only signs, and changes nothing', async () => {
      const before = conf();
      const { code, stderr } = await setUp(['--key', makeKey(home, 'signer', 'rsa2048', 'sign')]);
      expect(stderr).toMatch(/only signs.*every password change of the domain fails/s);
      expect([code, conf(), restarts]).toEqual([2, before, 0]);
    });

    test('the set-up finds an unknown key in smb.conf before it restarts Samba', async () => {
      const before = conf();
      writeFileSync(smbConf, `${before}password hash gpg key ids = 0123456789ABCDEF\n`);
      const { code, stderr } = await setUp();
      writeFileSync(smbConf, before);
      expect(stderr).toMatch(/names the key 0123456789ABCDEF, which is not in the key ring/);
      expect([code, restarts]).toEqual([2, 0]);
      await changesWork();
    });

    test('the set-up does not restart Samba if an administrator has added the setting and the canary is missing', async () => {
      const before = conf();
      const id = makeKey(elsewhere, 'by hand', 'default', 'default', 'never').slice(-16);
      writeFileSync(smbConf, `${before}password hash gpg key ids = ${id}\n`);
      const { code, stderr } = await setUp([], elsewhere);
      writeFileSync(smbConf, before);
      expect(stderr).toMatch(/already has the setting, but .* did not arrive/);
      expect([code, restarts]).toEqual([2, 0]);
    });

    test('the set-up undoes everything if Samba cannot use the key, and password changes work again', async () => {
      const before = conf();
      const { code, stderr } = await setUp([], elsewhere);
      expect(stderr).toMatch(
        /refused a password change.*smb\.conf is restored, .*password changes work/s,
      );
      expect([code, conf(), restarts]).toEqual([1, before, 2]);
      expect(readdirSync(place).filter((name) => name.startsWith('smb.conf'))).toEqual([
        'smb.conf',
      ]);
      await changesWork();
      expect(await canaries()).toEqual([]);
    });

    test('a set-up that is interrupted while Samba restarts undoes everything', async () => {
      const before = conf();
      const { code, stderr } = await setUp([], home, {
        during: async ({ pid, over }) => {
          beforeRestart = async () => {
            if (restarts === 0) process.kill(pid, 'SIGTERM');
          };
          await until(over);
        },
      });
      expect(stderr).toMatch(/The set-up was interrupted\..*password changes work/s);
      expect([code, conf(), restarts]).toEqual([1, before, 2]);
    });

    test('the set-up reports a restart that fails and restores smb.conf', async () => {
      const before = conf();
      const { code, stderr } = await setUp(['--restart-command', 'exit 7']);
      expect(stderr).toMatch(/"exit 7" failed \(exit code 7\)/);
      expect([code, conf()]).toEqual([1, before]);
    });

    test('a set-up for hashes creates no key, and hashes of passwords are handed over', async () => {
      rmSync(elsewhere, { recursive: true });
      mkdirSync(elsewhere, { mode: 0o700 });
      const ended = await setUp(['--hash', 'sha512-crypt'], elsewhere);
      expect([ended.code, ended.stderr, restarts]).toEqual([0, '', 1]);
      expect(conf()).not.toContain('gpg');
      expect(readdirSync(elsewhere)).toEqual([]);
      const dn = await newPerson('hashed', 'Pässwort as a hash 1');
      handOver(ended, elsewhere);
      await until(() => received.some(({ account }) => account === dn));
      const [{ password = '', hashed } = {}] = received.filter(({ account }) => account === dn);
      expect([hashed, readEncoded(password)?.scheme]).toEqual([true, 'sha512-crypt']);
      expect(password).toMatch(/^\{CRYPT\}\$6\$rounds=100000\$/);
      expect(await holds(password, Secret.fromText('Pässwort as a hash 1'))).toBe(true);
    });

    test('a set-up for passwords ends when the canary arrives, and the printed command hands passwords over', async () => {
      const ended = await setUp();
      expect(ended.stderr).toBe('');
      expect(ended.stdout).toMatch(/^Restarted Samba: the canary arrived\.$/m);
      expect([ended.code, restarts, await canaries()]).toEqual([0, 1, []]);
      const [, copy = ''] = /a copy of the old file is (\S+)\.\n/.exec(ended.stdout) ?? [];
      expect(changedLines(readFileSync(copy, 'utf8'), conf())).toEqual([
        expect.stringMatching(/^\tpassword hash gpg key ids = [0-9A-F]{16}$/),
      ]);
      const dn = await newPerson('plain', 'Pässwort itself 1');
      handOver(ended);
      await until(() => received.some(({ account }) => account === dn));
      expect(received.filter(({ account }) => account === dn)).toEqual([
        { account: dn, password: 'Pässwort itself 1', sequence: expect.any(String) },
      ]);
    });

    test('a second set-up changes nothing and can write a systemd unit', async () => {
      const [before, unit] = [conf(), path.join(dir, 'lockstep-samba.service')];
      const { code, stdout } = await setUp(['--unit', unit]);
      expect(stdout).toMatch(/needs no change: the canary arrived/);
      expect(stdout).not.toMatch(/^(?:Created|Installed|Changed|Restarted)/m);
      expect([code, conf(), restarts]).toEqual([0, before, 0]);
      expect(readFileSync(unit, 'utf8')).toContain(`\nEnvironment=GNUPGHOME=${home}\nExecStart=`);
      const keys = spawnSync('gpg', ['--homedir', home, '--list-keys', '--with-colons']);
      expect(keys.stdout.toString().match(/^uid:.*Lockstep/gm)).toHaveLength(1);
    });

    test('the set-up names the script of an older set-up that samba-tool still runs', async () => {
      const script = path.join(dir, 'lockstep-samba.py');
      writeFileSync(script, '#!/bin/sh\n', { mode: 0o755 });
      const cache = ['--cache-ldb-initialize', '--attributes=pwdLastSet', `--script=${script}`];
      spawnSync(SAMBA_TOOL, ['user', 'syncpasswords', '-s', smbConf, ...cache]);
      const { code, stdout } = await setUp();
      expect([code, stdout]).toEqual([0, expect.stringContaining(`to run ${script}, which`)]);
    });

    test('a test account of the operator gets a random password and is not deleted', async () => {
      const dn = await newPerson('tester', 'Pässwort of a tester 1');
      const changed = async () =>
        (await admin.client.search(dn, { scope: 'base', attributes: ['pwdLastSet'] }))
          .searchEntries[0]?.pwdLastSet;
      const before = await changed();
      const { code, stdout } = await setUp(['--account', 'tester']);
      expect([code, stdout]).toEqual([0, expect.stringContaining('the canary arrived')]);
      expect(await changed()).not.toBe(before);
      const unknown = await setUp(['--account', 'unknown.person']);
      expect([unknown.code, unknown.stderr]).toEqual([
        2,
        expect.stringContaining('There is no account unknown.person'),
      ]);
    });
  });
});

const changedLines = (before: string, after: string): string[] => {
  const known = before.split('\n');
  return after.split('\n').filter((line) => !known.includes(line));
};
