import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { HandOverListener } from '../../capture/hand-over/listener';
import { inheritedEnvironment } from '../../config';
import { unpackedDebs } from '../../local/debian';
import { administerDomain, type DomainAdmin } from '../../local/domain-admin';
import { freeLoopback, type Samba, startSamba } from '../../local/samba';
import { Secret } from '../../model/secret';
import { describeWith } from '../support/servers';
import { type HandedIn, listenAsRelay, openFolder } from '../support/shims';

const run = promisify(execFile);
const hasGpg = spawnSync('gpg', ['--version']).status === 0;
const suite = hasGpg ? describe : describe.skip;
const REALM = 'captured.lockstep.test';

/** A domain that keeps passwords for whoever holds the key, and `samba-tool user syncpasswords` with our script. */
suite(`passwords of a Samba domain${hasGpg ? '' : ' (skipped: no gpg)'}`, () => {
  describeWith(['samba'], 'are handed over', () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'ls-dc-'));
    const folder = openFolder();
    const socket = path.join(folder, 'relay.sock');
    const script = path.join(folder, 'lockstep-samba.py');
    const gnupg = path.join(dir, 'gnupg');
    const taken: HandedIn[] = [];
    let samba: Samba;
    let admin: DomainAdmin;
    let relay: HandOverListener | null = null;
    let python = '';

    beforeAll(async () => {
      copyFileSync(path.resolve('capture/shims/samba/lockstep-samba.py'), script);
      writeFileSync(path.join(folder, 'socket'), `${socket}\n`);
      const unpacked = await unpackedDebs('python3-gpg', ['python3-gpg'], () => {});
      python = path.join(unpacked, 'usr/lib/python3/dist-packages');
      samba = await startSamba({
        dir: path.join(dir, 'dc'),
        address: await freeLoopback(),
        realm: REALM,
        settings: [`password hash gpg key ids = ${makeKey()}`],
        env: { GNUPGHOME: gnupg },
      });
      admin = await administerDomain(samba, path.join(dir, 'dc'));
      await sync('--cache-ldb-initialize', '--decrypt-samba-gpg', `--script=${script}`, ...WHAT);
    }, 180_000);
    beforeEach(() => taken.splice(0));
    afterEach(async () => {
      await relay?.close();
      relay = null;
    });
    afterAll(async () => {
      await admin?.close();
      await samba?.stop();
      spawnSync('gpgconf', ['--homedir', gnupg, '--kill', 'all']);
      rmSync(dir, { recursive: true });
    });

    const WHAT = [
      '--attributes=objectGUID,sAMAccountName,userAccountControl,pwdLastSet,msDS-KeyVersionNumber,virtualClearTextUTF8',
      '--filter=(&(objectClass=user)(userAccountControl:1.2.840.113556.1.4.803:=512)(!(sAMAccountName=krbtgt*)))',
    ];
    /** A key without a passphrase that encrypts; of one that only signs, every password change of the domain would fail. */
    function makeKey(): string {
      mkdirSync(gnupg, { mode: 0o700 });
      const gpg = [
        '--homedir',
        gnupg,
        '--batch',
        '--pinentry-mode',
        'loopback',
        '--passphrase',
        '',
      ];
      execFileSync('gpg', [...gpg, '--quick-gen-key', 'lockstep', 'default', 'default', 'never'], {
        stdio: 'ignore',
      });
      const listed = execFileSync('gpg', [...gpg, '--list-keys', '--with-colons']).toString();
      return /^fpr:+([0-9A-F]+):/m.exec(listed)?.[1]?.slice(-16) ?? '';
    }
    const sync = (...args: string[]) => {
      const place = path.join(dir, 'dc');
      const ldapi = encodeURIComponent(path.join(place, 'private/ldap_priv/ldapi'));
      const at = args.includes('--cache-ldb-initialize') ? ['-H', `ldapi://${ldapi}`] : [];
      return run(
        'samba-tool',
        [
          ...['user', 'syncpasswords', `--cache-ldb=${path.join(dir, 'cache.ldb')}`],
          ...['-s', path.join(place, 'smb.conf'), ...at, ...args],
        ],
        { env: { ...inheritedEnvironment(), GNUPGHOME: gnupg, PYTHONPATH: python } },
      );
    };
    const listen = async () => {
      relay = await listenAsRelay(socket, taken);
    };
    let people = 0;
    const somebody = (password: string) =>
      admin.addUser(`CN=Users,${samba.base}`, `person${++people}`, Secret.fromText(password));

    test('once the domain has them, byte for byte', async () => {
      await listen();
      await sync('--no-wait');
      taken.splice(0);
      const word = 'Pässwort "mit" Anführung\\ 🔐 1';
      const dn = await somebody(word);
      await sync('--no-wait');
      expect(taken).toEqual([{ account: dn, password: word, sequence: expect.any(String) }]);
    });

    test('later, while no relay answers: nothing is lost', async () => {
      const [one, other] = ['Nobody heard this one 1', 'Nor was this one heard 2'];
      const dns = [await somebody(one), await somebody(other)];
      await expect(sync('--no-wait')).rejects.toThrow();
      await listen();
      await sync('--no-wait');
      expect(taken.map(({ account, password }) => [account, password]).sort()).toEqual(
        [
          [dns[0], one],
          [dns[1], other],
        ].sort(),
      );
    });
  });
});
