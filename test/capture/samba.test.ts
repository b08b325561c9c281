import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Attribute, Change } from 'ldapts';
import type { HandOverListener } from '../../capture/hand-over/listener';
import { inheritedEnvironment } from '../../config';
import { holds } from '../../connectors/encodings';
import { unpackedDebs } from '../../local/debian';
import { administerDomain, type DomainAdmin } from '../../local/domain-admin';
import { freeLoopback, type Samba, startSamba } from '../../local/samba';
import { makeKey } from '../../local/syncing-domain';
import { readEncoded } from '../../model/hashes/encoding';
import { Secret } from '../../model/passwords/secret';
import { describeWith } from '../support/servers';
import { listenAsRelay, openFolder, type ReceivedCapture } from '../support/shims';

const run = promisify(execFile);
const hasGpg = spawnSync('gpg', ['--version']).status === 0;
const suite = hasGpg ? describe : describe.skip;
const REALM = 'captured.lockstep.test';

/** Uses a domain that encrypts passwords to a key, and `samba-tool user syncpasswords` with the script of Lockstep. */
suite(`passwords of a Samba domain${hasGpg ? '' : ' (skipped: no gpg)'}`, () => {
  describeWith(['samba'], 'on a real domain controller', () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'ls-dc-'));
    const folder = openFolder();
    const socket = path.join(folder, 'relay.sock');
    const script = path.join(folder, 'lockstep-samba.py');
    const gnupg = path.join(dir, 'gnupg');
    const received: ReceivedCapture[] = [];
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
        settings: [`password hash gpg key ids = ${makeKey(gnupg)}`],
        env: { GNUPGHOME: gnupg },
      });
      admin = await administerDomain(samba, path.join(dir, 'dc'));
      await sync('--cache-ldb-initialize', '--decrypt-samba-gpg', `--script=${script}`, ...WHAT);
    }, 180_000);
    beforeEach(() => received.splice(0));
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
    const sync = (...args: string[]) => syncBy('cache.ldb', ...args);
    /** @param cache file with the configuration and progress of samba-tool; each cache is independent */
    const syncBy = (cache: string, ...args: string[]) => {
      const place = path.join(dir, 'dc');
      const ldapi = encodeURIComponent(path.join(place, 'private/ldap_priv/ldapi'));
      const at = args.includes('--cache-ldb-initialize') ? ['-H', `ldapi://${ldapi}`] : [];
      return run(
        'samba-tool',
        [
          ...['user', 'syncpasswords', `--cache-ldb=${path.join(dir, cache)}`],
          ...['-s', path.join(place, 'smb.conf'), ...at, ...args],
        ],
        { env: { ...inheritedEnvironment(), GNUPGHOME: gnupg, PYTHONPATH: python } },
      );
    };
    const listen = async () => {
      relay = await listenAsRelay(socket, received);
    };
    const replace = (dn: string, type: string, value: string) =>
      admin.client.modify(
        dn,
        new Change({
          operation: 'replace',
          modification: new Attribute({ type, values: [value] }),
        }),
      );
    const disable = (dn: string) => replace(dn, 'userAccountControl', '514');
    const rename = (dn: string, name: string) => replace(dn, 'sAMAccountName', name);
    let people = 0;
    const newPerson = (password: string) =>
      admin.addUser(`CN=Users,${samba.base}`, `person${++people}`, Secret.fromText(password));

    test('the script hands a password over byte for byte once the domain has stored it', async () => {
      await listen();
      await sync('--no-wait');
      received.splice(0);
      const word = 'Pässwort "mit" Anführung\\ 🔐 1';
      const dn = await newPerson(word);
      const { stdout, stderr } = await sync('--no-wait');
      for (const form of ['utf8', 'base64', 'hex'] as const)
        expect(stdout + stderr).not.toContain(Buffer.from(word).toString(form));
      expect(received).toEqual([{ account: dn, password: word, sequence: expect.any(String) }]);
    });

    test('passwords that are changed while no relay answers are handed over later', async () => {
      const [one, other] = ['Not received at first 1', 'Not received at first 2'];
      const dns = [await newPerson(one), await newPerson(other)];
      await expect(sync('--no-wait')).rejects.toThrow();
      await listen();
      await sync('--no-wait');
      expect(received.map(({ account, password }) => [account, password]).sort()).toEqual(
        [
          [dns[0], one],
          [dns[1], other],
        ].sort(),
      );
    });

    test('three changes while no relay listened are handed over once, with the last password', async () => {
      await listen();
      const dn = await newPerson('The first of them 1');
      await sync('--no-wait');
      const before = versionOf(received.find(({ account }) => account === dn));
      received.splice(0);
      for (const word of ['One of three 1', 'One of three 2', 'One of three 3'])
        await admin.resetPassword(dn, Secret.fromText(word));
      await sync('--no-wait');
      expect(received).toMatchObject([{ account: dn, password: 'One of three 3' }]);
      expect(versionOf(received[0])).toBe(before + 3);
    });

    test('another change of an account hands its password over again with the same sequence', async () => {
      await listen();
      const dn = await newPerson('Set once and left alone 1');
      await sync('--no-wait');
      const first = received.find(({ account }) => account === dn);
      received.splice(0);
      await disable(dn);
      await sync('--no-wait');
      const renamed = `CN=renamed,CN=Users,${samba.base}`;
      await admin.client.modifyDN(dn, renamed);
      await rename(renamed, 'renamed');
      await sync('--no-wait');
      expect(received).toEqual([first, { ...first, account: renamed }]);
      received.splice(0);
      await admin.resetPassword(renamed, Secret.fromText('Set once and left alone 1'));
      await sync('--no-wait');
      expect(received).toHaveLength(1);
      expect(received[0]?.sequence).not.toBe(first?.sequence);
    });

    test.each([
      ['virtualSSHA', 'ssha'],
      ['virtualCryptSHA256', 'sha256-crypt'],
    ])(
      'with only %s configured, the script hands over a value marked as a hash',
      async (name, scheme) => {
        await listen();
        const [attributes = '', filter = ''] = WHAT;
        const requested = attributes.replace('virtualClearTextUTF8', name);
        const initialise = ['--cache-ldb-initialize', '--decrypt-samba-gpg', `--script=${script}`];
        const word = 'Pässwort that stays in the domain 1';
        const dn = await newPerson(word);
        await syncBy(`${name}.ldb`, ...initialise, requested, filter);
        await syncBy(`${name}.ldb`, '--no-wait');
        const { password = '', hashed } = received.find(({ account }) => account === dn) ?? {};
        expect([hashed, readEncoded(password)?.scheme]).toEqual([true, scheme]);
        expect(await holds(password, Secret.fromText(word))).toBe(true);
      },
    );
  });
});

/** The key version in a sequence, which is `objectGUID/msDS-KeyVersionNumber/pwdLastSet`. */
const versionOf = (handed: ReceivedCapture | undefined): number =>
  Number(handed?.sequence?.split('/')[1] ?? Number.NaN);
