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
        settings: [`password hash gpg key ids = ${makeKey(gnupg)}`],
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
    const sync = (...args: string[]) => syncBy('cache.ldb', ...args);
    /** @param cache what was told with it is its own, and so is how far it is */
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
      relay = await listenAsRelay(socket, taken);
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
    const somebody = (password: string) =>
      admin.addUser(`CN=Users,${samba.base}`, `person${++people}`, Secret.fromText(password));

    test('once the domain has them, byte for byte', async () => {
      await listen();
      await sync('--no-wait');
      taken.splice(0);
      const word = 'Pässwort "mit" Anführung\\ 🔐 1';
      const dn = await somebody(word);
      const { stdout, stderr } = await sync('--no-wait');
      for (const form of ['utf8', 'base64', 'hex'] as const)
        expect(stdout + stderr).not.toContain(Buffer.from(word).toString(form));
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

    test('three changes while nobody listened are told once, as the last', async () => {
      await listen();
      const dn = await somebody('The first of them 1');
      await sync('--no-wait');
      const before = versionOf(taken.find(({ account }) => account === dn));
      taken.splice(0);
      for (const word of ['One of three 1', 'One of three 2', 'One of three 3'])
        await admin.resetPassword(dn, Secret.fromText(word));
      await sync('--no-wait');
      expect(taken).toMatchObject([{ account: dn, password: 'One of three 3' }]);
      expect(versionOf(taken[0])).toBe(before + 3);
    });

    test('an account that changed otherwise is told again as the same change', async () => {
      await listen();
      const dn = await somebody('Set once and left alone 1');
      await sync('--no-wait');
      const first = taken.find(({ account }) => account === dn);
      taken.splice(0);
      await disable(dn);
      await sync('--no-wait');
      const renamed = `CN=renamed,CN=Users,${samba.base}`;
      await admin.client.modifyDN(dn, renamed);
      await rename(renamed, 'renamed');
      await sync('--no-wait');
      expect(taken).toEqual([first, { ...first, account: renamed }]);
      taken.splice(0);
      await admin.resetPassword(renamed, Secret.fromText('Set once and left alone 1'));
      await sync('--no-wait');
      expect(taken).toHaveLength(1);
      expect(taken[0]?.sequence).not.toBe(first?.sequence);
    });

    test.each([
      ['virtualSSHA', 'ssha'],
      ['virtualCryptSHA256', 'sha256-crypt'],
    ])('where only %s is asked for, a hash is handed over, and says so', async (name, scheme) => {
      await listen();
      const [attributes = '', filter = ''] = WHAT;
      const asked = attributes.replace('virtualClearTextUTF8', name);
      const initialise = ['--cache-ldb-initialize', '--decrypt-samba-gpg', `--script=${script}`];
      const word = 'Pässwort that nobody sees 1';
      const dn = await somebody(word);
      await syncBy(`${name}.ldb`, ...initialise, asked, filter);
      await syncBy(`${name}.ldb`, '--no-wait');
      const { password = '', hashed } = taken.find(({ account }) => account === dn) ?? {};
      expect([hashed, readEncoded(password)?.scheme]).toEqual([true, scheme]);
      expect(await holds(password, Secret.fromText(word))).toBe(true);
    });
  });
});

/** `objectGUID/msDS-KeyVersionNumber/pwdLastSet` */
const versionOf = (handed: HandedIn | undefined): number =>
  Number(handed?.sequence?.split('/')[1] ?? Number.NaN);
