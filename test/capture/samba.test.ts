import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Attribute, Change } from 'ldapts';
import { type HandOverListener, listenForCaptures } from '../../capture/hand-over/listener';
import { inheritedEnvironment } from '../../config';
import { holds } from '../../connectors/encodings';
import { administerDomain, type DomainAdmin } from '../../local/domain-admin';
import { freeLoopback, PYTHON, type Samba, startSamba } from '../../local/samba';
import { makeKey } from '../../local/syncing-domain';
import { readEncoded } from '../../model/hashes/encoding';
import { Secret } from '../../model/passwords/secret';
import { describeWith } from '../support/servers';
import { listenAsRelay, openFolder, type ReceivedCapture } from '../support/shims';
import { until } from '../support/until';

const run = promisify(execFile);
const hasGpg = spawnSync('gpg', ['--version']).status === 0;
const suite = hasGpg ? describe : describe.skip;
const READER = path.resolve('capture/shims/samba/reader/main.py');

/** Uses a domain that encrypts passwords to a key, and the reader of Lockstep. */
suite(`passwords of a Samba domain${hasGpg ? '' : ' (skipped: no gpg)'}`, () => {
  describeWith(['samba'], 'on a real domain controller', () => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'ls-dc-'));
    const socket = path.join(openFolder(), 'relay.sock');
    const gnupg = path.join(dir, 'gnupg');
    const cursor = path.join(dir, 'cursor.json');
    const received: ReceivedCapture[] = [];
    let samba: Samba;
    let admin: DomainAdmin;
    let relay: HandOverListener | null = null;
    let reader: ChildProcess | null = null;

    beforeAll(async () => {
      samba = await startSamba({
        dir: path.join(dir, 'dc'),
        address: await freeLoopback(),
        realm: 'captured.lockstep.test',
        settings: [
          `password hash gpg key ids = ${makeKey(gnupg)}`,
          'password hash userPassword schemes = CryptSHA256:rounds=5000 CryptSHA512:rounds=5000',
        ],
        env: { GNUPGHOME: gnupg },
      });
      admin = await administerDomain(samba, path.join(dir, 'dc'));
      await listen();
      await read();
      await close();
    }, 180_000);
    beforeEach(() => received.splice(0));
    afterEach(close);
    async function close(): Promise<void> {
      reader?.kill('SIGKILL');
      await relay?.close();
      [reader, relay] = [null, null];
    }
    afterAll(async () => {
      await admin?.close();
      await samba?.stop();
      spawnSync('gpgconf', ['--homedir', gnupg, '--kill', 'all']);
      rmSync(dir, { recursive: true });
    });

    const command = (...more: readonly string[]) => [
      ...['-B', READER, '-s', path.join(dir, 'dc/smb.conf'), '--socket', socket],
      ...['--cursor', cursor, ...more],
    ];
    const environment = (home = gnupg) => ({ ...inheritedEnvironment(), GNUPGHOME: home });
    /** Runs the reader until it has caught up. @returns what it printed @throws Error if it cannot hand over */
    const read = async (...more: readonly string[]): Promise<string> => {
      const ran = await run(PYTHON, command('--once', ...more), { env: environment() });
      return ran.stdout + ran.stderr;
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
    let people = 0;
    const newPerson = (password: string) =>
      admin.addUser(`CN=Users,${samba.base}`, `person${++people}`, Secret.fromText(password));
    const reset = (dn: string, password: string) =>
      admin.resetPassword(dn, Secret.fromText(password));
    const pairs = () => received.map(({ account, password }) => [account, password]);

    test('the reader hands a password over byte for byte and prints no form of it', async () => {
      await listen();
      const word = 'Pässwort "mit" Anführung\\ 🔐 1';
      const dn = await newPerson(word);
      const printed = await read();
      for (const form of ['utf8', 'utf16le', 'base64', 'hex'] as const)
        expect(printed).not.toContain(Buffer.from(word).toString(form));
      expect(received).toEqual([{ account: dn, password: word, sequence: expect.any(String) }]);
    });

    test('passwords that are changed while no relay answers are handed over later, in their order', async () => {
      const dns = [await newPerson('Not received 1'), await newPerson('Not received 2')];
      await expect(read()).rejects.toThrow(/the relay cannot be reached/);
      await listen();
      await read();
      expect(pairs()).toEqual([
        [dns[0], 'Not received 1'],
        [dns[1], 'Not received 2'],
      ]);
    });

    test('three changes while no reader ran are handed over once, with the last password', async () => {
      await listen();
      const dn = await newPerson('The first of them 1');
      await read();
      const before = versionOf(received[0]);
      received.splice(0);
      for (const turn of [1, 2, 3]) await reset(dn, `One of three ${turn}`);
      await read();
      expect(received).toMatchObject([{ account: dn, password: 'One of three 3' }]);
      expect(versionOf(received[0])).toBe(before + 3);
    });

    test('an account that is disabled, moved or deleted is not handed over, and a renamed one keeps its objectGUID', async () => {
      await listen();
      const [dn, leaver] = [await newPerson('Set once 1'), await newPerson('Of a leaver 1')];
      await admin.client.del(leaver);
      await read();
      const [first] = received.splice(0);
      expect(first?.account).toBe(dn);
      const renamed = `CN=renamed,CN=Users,${samba.base}`;
      await replace(dn, 'userAccountControl', '514');
      await admin.client.modifyDN(dn, renamed);
      await replace(renamed, 'sAMAccountName', 'renamed');
      await read();
      expect(received).toEqual([]);
      await reset(renamed, 'Set once 1');
      await read();
      expect(pairs()).toEqual([[renamed, 'Set once 1']]);
      expect(guidOf(received[0])).toBe(guidOf(first));
      expect(received[0]?.sequence).not.toBe(first?.sequence);
    });

    test('a password that its person must change is handed over only when it counts', async () => {
      await listen();
      const dn = await newPerson('To be changed at once 1');
      await replace(dn, 'pwdLastSet', '0');
      await read();
      expect(received).toEqual([]);
      await replace(dn, 'pwdLastSet', '-1');
      await read();
      expect(pairs()).toEqual([[dn, 'To be changed at once 1']]);
    });

    test('computer accounts are skipped, and accounts without a readable password are counted', async () => {
      await listen();
      const computer = `CN=machine,CN=Computers,${samba.base}`;
      const kind = [new Attribute({ type: 'objectClass', values: ['computer'] })];
      const named = new Attribute({ type: 'sAMAccountName', values: ['machine$'] });
      const control = new Attribute({ type: 'userAccountControl', values: ['4096'] });
      await admin.client.add(computer, [...kind, named, control]);
      await reset(computer, 'The password of a machine 1');
      const dn = await newPerson('A person next to it 1');
      const other = path.join(dir, 'from-the-beginning.json');
      const printed = await read('--cursor', other);
      expect(received).toContainEqual(expect.objectContaining({ account: dn }));
      expect(received.map(({ account }) => account)).not.toContain(computer);
      // Administrator and Guest were created before smb.conf had the setting.
      expect(printed).toMatch(/skipped accounts with no readable password.*: 2 \(objectGUID/);
      await read();
    });

    test('a stored password that does not belong to the current keys of its account is not handed over', async () => {
      await listen();
      const dns = [await newPerson('Of one person 1'), await newPerson('Of another 1')] as const;
      const smbConf = path.join(dir, 'dc/smb.conf');
      await run(PYTHON, ['-c', COPY_CREDENTIALS, smbConf, ...dns]);
      const printed = await read();
      expect(pairs()).toEqual([[dns[0], 'Of one person 1']]);
      expect(printed).toMatch(/skipped accounts with no readable password.*: 1 \(objectGUID/);
    });

    test('nothing is skipped while GnuPG cannot decrypt', async () => {
      await listen();
      const dn = await newPerson('Readable later 1');
      const elsewhere = path.join(dir, 'no-key');
      mkdirSync(elsewhere, { mode: 0o700 });
      const ran = spawnSync(PYTHON, command('--once'), { env: environment(elsewhere) });
      expect(ran.stderr.toString()).toMatch(/GnuPG cannot decrypt with .*check GNUPGHOME/);
      await read();
      expect(pairs()).toEqual([[dn, 'Readable later 1']]);
    });

    test('a reader that is killed after the hand-over and before its cursor moves repeats the same captures', async () => {
      await read().catch(() => {});
      const before = readFileSync(cursor, 'utf8');
      const dns = [await newPerson('Of the first 1'), await newPerson('Of the second 1')];
      relay = await listenForCaptures(socket, 0o600, async ({ account, password, sequence }) => {
        const text = password.use((bytes) => bytes.toString('utf8'));
        received.push({ account, password: text, sequence: sequence ?? '' });
        if (account === dns[1] && reader !== null && reader.exitCode === null) {
          const gone = new Promise((resolve) => reader?.once('exit', resolve));
          reader.kill('SIGKILL');
          await gone;
        }
        return null;
      });
      reader = spawn(PYTHON, command('--once'), { env: environment(), stdio: 'ignore' });
      await until(() => reader?.signalCode === 'SIGKILL');
      expect(readFileSync(cursor, 'utf8')).toBe(before);
      const first = received.splice(0);
      reader = null;
      await read();
      expect(pairs()).toEqual([
        [dns[0], 'Of the first 1'],
        [dns[1], 'Of the second 1'],
      ]);
      expect(received).toEqual(first);
    });

    test('a reader that keeps running hands changes over at once, also after a restart of the domain controller', async () => {
      await listen();
      reader = spawn(PYTHON, command(), { env: environment(), stdio: 'ignore' });
      const dn = await newPerson('While it runs 1');
      await until(() => received.some(({ account }) => account === dn));
      await samba.restart();
      await admin.close();
      admin = await administerDomain(samba, path.join(dir, 'dc'));
      await reset(dn, 'After the restart 1');
      await until(() => received.some(({ password }) => password === 'After the restart 1'));
    });

    test('a second reader with the same cursor is refused', async () => {
      await listen();
      reader = spawn(PYTHON, command(), { env: environment(), stdio: 'ignore' });
      const dn = await newPerson('Read by the first one 1');
      await until(() => received.some(({ account }) => account === dn));
      await expect(read()).rejects.toThrow(/another reader uses \S+cursor\.json: stop it first/);
    });

    test.each([
      ['the cursor of another database', { database: 'f95440ae-0000-4c9b-8ed1-4955ab3bf198' }],
      ['a cursor above the numbers of the database', { complete: 1e12, reached: 1e12 }],
      ['a cursor of another form', { form: 'sha512-crypt' }],
    ])('with %s, every password is handed over again with the same sequence', async (_, other) => {
      await listen();
      const dn = await newPerson(`Handed over twice ${people}`);
      await read();
      const [first] = received.splice(0);
      const saved = JSON.parse(readFileSync(cursor, 'utf8')) as object;
      writeFileSync(cursor, JSON.stringify({ ...saved, ...other }));
      await read();
      expect(received.length).toBeGreaterThan(1);
      expect(received.filter(({ account }) => account === dn)).toEqual([first]);
    });

    test('a pass that was interrupted skips no password whose account changed in another way since', async () => {
      await listen();
      const dn = await newPerson('Before the interruption 1');
      await read();
      const [first] = received.splice(0);
      // The pass had reached the number of the password change when a later change of the account moved it up.
      const saved = JSON.parse(readFileSync(cursor, 'utf8')) as { reached: number };
      await replace(dn, 'description', 'changed in another way');
      writeFileSync(cursor, JSON.stringify({ ...saved, complete: saved.reached - 3 }));
      await read();
      expect(received).toEqual([first]);
    });

    test.each(['sha256-crypt', 'sha512-crypt'])(
      'a reader for %s hands over hashes, marked as such, and needs no key',
      async (scheme) => {
        await listen();
        const word = 'Pässwort that stays in the domain 1';
        const dn = await newPerson(word);
        const mine = path.join(dir, `${scheme}.json`);
        const args = command('--once', '--cursor', mine, '--hash', scheme);
        await run(PYTHON, args, { env: environment(path.join(dir, 'none')) });
        const { password = '', hashed } = received.find(({ account }) => account === dn) ?? {};
        expect([hashed, readEncoded(password)?.scheme]).toEqual([true, scheme]);
        expect(await holds(password, Secret.fromText(word))).toBe(true);
        expect(existsSync(mine)).toBe(true);
      },
    );
  });
});

/** Copies the stored credentials of one account to another one, as no server does, and leaves its keys unchanged. */
const COPY_CREDENTIALS = `
import sys, ldb
from samba import dsdb
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

lp = LoadParm()
lp.load(sys.argv[1])
db = SamDB(url=lp.samdb_url(), session_info=system_session(), lp=lp)
name = "supplementalCredentials"
found = db.search(base=sys.argv[2], scope=ldb.SCOPE_BASE, attrs=[name])[0][name][0]
message = ldb.Message(ldb.Dn(db, sys.argv[3]))
message[name] = ldb.MessageElement(found, ldb.FLAG_MOD_REPLACE, name)
db.modify(message, ["local_oid:%s:0" % dsdb.DSDB_CONTROL_BYPASS_PASSWORD_HASH_OID])
`;

/** The parts of a sequence, which is `objectGUID/msDS-KeyVersionNumber/pwdLastSet`. */
const partsOf = (handed: ReceivedCapture | undefined) => handed?.sequence?.split('/') ?? [];
const guidOf = (handed: ReceivedCapture | undefined) => partsOf(handed)[0];
const versionOf = (handed: ReceivedCapture | undefined) => Number(partsOf(handed)[1] ?? Number.NaN);
