import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Attribute, Change, Client } from 'ldapts';
import { rights } from '../../local/domain-admin';
import type { RunningServer } from '../../local/processes';
import { type SyncingDomain, startSyncingDomain } from '../../local/syncing-domain';
import { Secret } from '../../model/passwords/secret';
import { audited } from '../support/audited';
import type { CompanyAccount } from '../support/company';
import { brokenInvariants } from '../support/invariants';
import { holders, newPassword } from '../support/people';
import { type RelayedCompany, startRelayedCompany } from '../support/relayed-company';
import { describeWith, server } from '../support/servers';
import { until } from '../support/until';

const MINUTES = 60_000;
const hasGpg = spawnSync('gpg', ['--version']).status === 0;
const suite = hasGpg ? describe : describe.skip;

/** People whose passwords are handed over in plain text, and people whose hashes are handed over. */
const people = { plain: ['plain-1', 'plain-2', 'plain-3'], hashed: ['hashed-1', 'hashed-2'] };

/** End to end in both directions: a Samba domain with the reader of Lockstep, a relay, and a directory. */
suite(`passwords of a Samba domain${hasGpg ? '' : ' (skipped: no gpg)'}`, () => {
  describeWith(['samba', 'slapd', 'postgres', 'temporal'], 'and a directory', () => {
    let domain: SyncingDomain;
    let relayed: RelayedCompany;
    let desk: string;
    const readers: RunningServer[] = [];

    beforeAll(async () => {
      domain = await startSyncingDomain([...people.plain, ...people.hashed], () => {});
      relayed = await startRelayedCompany({ sources: {} });
      await connect();
      const relay = await relayed.addRelay('domain', { covers: 'source' });
      await until(async () => (await relay.handOver('nobody', 'the first one')) === 'stored');
      const { socket } = relay;
      readers.push(await domain.startReader({ socket, names: 'plain-' }));
      readers.push(await domain.startReader({ socket, names: 'hashed-', hashed: true }));
      desk = await relayed.api.newKey(['trigger']);
      // The initial passwords of five accounts and the capture above belong to unlinked accounts.
      await until(async () => (await auditedHere('capture.unmapped')) === 1 + 5);
    }, 3 * MINUTES);
    afterEach(async () => {
      expect(await brokenInvariants(relayed.lockstep.database.db)).toEqual({});
    });
    afterAll(async () => {
      for (const reader of readers) await reader.stop();
      await relayed?.stop();
      await domain?.stop();
    });

    async function connect(): Promise<void> {
      const { samba, admin } = domain;
      // Turns off the complexity rules of the domain, which random passwords could violate.
      const modification = new Attribute({ type: 'pwdProperties', values: ['0'] });
      await admin.client.modify(samba.base, new Change({ operation: 'replace', modification }));
      // The same service password as in the other sources of the company.
      const password = Secret.fromText(server('slapd').lockstep ?? '');
      const bindDn = await admin.addUser(`CN=Users,${samba.base}`, 'lockstep', password);
      const given = [rights.resetPassword, rights.writePwdLastSet];
      await admin.delegate(`OU=people,${samba.base}`, bindDn, given);
      const { apps } = relayed.company.sources();
      const { settings } = Object(apps);
      const { url, caFile: ca, serverName, base } = samba;
      await relayed.lockstep.configure({
        version: 1,
        sources: {
          domain: {
            kind: 'active-directory',
            capture: { enabled: true, forms: ['plaintext', 'sha512-crypt'] },
            settings: { url, ca, serverName, base, bindDn, bindPassword: '${env:TEST_LDAP}' },
          },
          apps: { ...apps, settings: { ...settings, hashes: ['sha512-crypt'] } },
        },
        policies: { everyone: {} },
        groups: { all: { policy: 'everyone', authSource: 'domain', sources: ['domain', 'apps'] } },
      });
    }
    const auditedHere = (pattern: string) => audited(relayed.lockstep.database.db, pattern);
    const changesOf = (person: string) =>
      relayed.lockstep.database.db
        .selectFrom('change')
        .select(['state', 'form', 'captured_at as captured'])
        .where('identity_name', '=', person)
        .orderBy('seq')
        .execute();

    const inDomain = (name: string): CompanyAccount => ({
      ...{ source: 'domain', name: domain.dnOf(name) },
      async logsIn(password) {
        const { url, caFile, serverName } = domain.samba;
        const tlsOptions = { ca: [readFileSync(caFile)], servername: serverName };
        const client = new Client({ url, tlsOptions, timeout: 50_000 });
        return client
          .bind(domain.dnOf(name), password)
          .then(() => true)
          .catch(() => false)
          .finally(() => client.unbind());
      },
      async changeThere(password) {
        const secret = Secret.fromText(password);
        await domain.admin.resetPassword(domain.dnOf(name), secret);
        secret.destroy();
      },
    });
    async function newPerson(name: string) {
      const accounts = [inDomain(name), await relayed.company.addAccount('apps')];
      return { person: await relayed.lockstep.addPerson(accounts), accounts };
    }
    const isDone = async (person: string) => (await changesOf(person)).at(-1)?.state === 'done';

    test.each([
      ['plain-1', `"quotes" 'and' \\ 🔐 Пароль 1\nand a line`],
      ['plain-2', `${'0123456789abcdéF'.repeat(15)}${'x'.repeat(16)}`],
    ])(
      'a password that is changed in the domain reaches the directory byte for byte: %s',
      async (name, word) => {
        const { person, accounts } = await newPerson(name);
        await accounts[0]?.changeThere(word);
        await until(() => isDone(person));
        expect(await holders(accounts, word)).toEqual([true, true]);
        expect(await changesOf(person)).toHaveLength(1);
      },
    );

    test('a hash from the domain reaches the directory, and the password works there', async () => {
      const { person, accounts } = await newPerson('hashed-1');
      const word = newPassword();
      await accounts[0]?.changeThere(word);
      await until(() => isDone(person));
      expect(await holders(accounts, word)).toEqual([true, true]);
      expect(await changesOf(person)).toMatchObject([{ form: 'sha512-crypt' }]);
    });

    test.each(['plain-3', 'hashed-2'])(
      'a password that Lockstep writes to %s is recognized as an echo and starts no change',
      async (name) => {
        const { person, accounts } = await newPerson(name);
        const before = await auditedHere('capture.echo');
        const word = newPassword();
        const body = { identity: person, password: word };
        await relayed.api.send('POST', '/v1/changes', { key: desk, body });
        await until(async () => (await auditedHere('capture.echo')) === before + 1);
        await until(() => isDone(person));
        expect(await changesOf(person)).toMatchObject([{ form: 'plaintext', captured: null }]);
        expect(await holders(accounts, word)).toEqual([true, true]);
      },
    );
  });
});
