import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Attribute, Change, type Client } from 'ldapts';
import type { Poller } from '../../capture/polling/poller';
import { sendExop } from '../../connectors/ldap/requests';
import type { Ds389 } from '../../local/ds389';
import { isRoot } from '../../local/places';
import { ssha } from '../../local/slapd';
import { Secret } from '../../model/passwords/secret';
import { drained, textsOf } from '../support/drained';
import { applyLdif } from '../support/ldif';
import { uniqueName } from '../support/people';
import { pollerBench } from '../support/poller-bench';
import { startProxy } from '../support/proxy';
import {
  clientOf,
  letRelayRead,
  manager,
  people,
  serviceDn,
  startRetroDs389,
} from '../support/retro-ds389';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const RELAY = serviceDn('relay');
const MINUTES = 60_000;

/** Uses a dedicated 389 Directory Server that is set up as the docs say. */
describeWith(['ds389'], 'polling 389 Directory Server', () => {
  // Servers that run as the user nobody must be able to enter this folder.
  const dir = mkdtempSync(path.join(isRoot ? '/var/tmp' : os.tmpdir(), 'ls-retro-'));
  const secrets = {
    admin: `Admin-${uniqueName()}`,
    relay: `Relay-${uniqueName()}`,
    wrong: 'not it',
  };
  let ds: Ds389;
  let admin: Client;
  const { open, watching } = pollerBench('retro-changelog', {
    settings: () => ({
      ...{ url: ds.url, ca: ds.caFile, base: people },
      ...{ bindDn: RELAY, bindPassword: '${file:relay}' },
    }),
    secrets: () => ({ '${file:relay}': secrets.relay, '${file:wrong}': secrets.wrong }),
  });

  beforeAll(async () => {
    chmodSync(dir, 0o755);
    ds = await startRetroDs389(path.join(dir, 'ds'), {
      admin: secrets.admin,
      relay: secrets.relay,
    });
    admin = await manager(ds, secrets.admin);
  }, 2 * MINUTES);
  afterAll(async () => {
    await admin?.unbind();
    await ds?.stop();
    rmSync(dir, { recursive: true });
  });

  async function restart(): Promise<void> {
    await admin.unbind();
    ds = await ds.restart();
    admin = await manager(ds, secrets.admin);
  }

  async function newPerson(password = `First-${uniqueName()}`): Promise<string> {
    const uid = `Person${uniqueName()}`;
    const dn = `uid=${uid},${people}`;
    const names = { uid, cn: uid, sn: 'Test' };
    await admin.add(dn, { objectClass: 'inetOrgPerson', ...names, userPassword: password });
    return dn;
  }
  const replace = (type: string, ...values: string[]) =>
    new Change({ operation: 'replace', modification: new Attribute({ type, values }) });
  const reset = (dn: string, password: string) =>
    admin.modify(dn, replace('userPassword', password));
  const bounds = async () => {
    const attributes = ['firstChangeNumber', 'lastChangeNumber'];
    const { searchEntries } = await admin.search('', { scope: 'base', attributes });
    return attributes.map((name) => Number(searchEntries[0]?.[name]));
  };
  const changelog = async () => {
    const found = await admin.search('cn=changelog', { scope: 'one' });
    return JSON.stringify(found.searchEntries);
  };

  test.each([
    ['plain', 'correct horse battery staple'],
    ['of quotes and backslashes', `it's "quoted" \\ and %s $1 {}`],
    ['of blanks at both ends', ' between two blanks '],
    ['of emoji and accents', 'pässwörd 🐦 пароль 密码'],
    ['of two lines', 'the first\nreplace: userPassword\n- \r\nthe second'],
    ['of 256 characters', '0123456789abcdéf'.repeat(16)],
    ['that looks like LDIF', ': < unhashed#user#password: mine'],
  ])('a password %s is read byte for byte', async (_title, word) => {
    const dn = await newPerson();
    const { poller } = await watching();
    await reset(dn, word);
    expect(await drained(poller)).toMatchObject([{ account: dn, word, hashed: false }]);
    expect(await drained(poller)).toEqual([]);
  });

  test('a reset, a change by the person and a change by RFC 3062 are read once each and in order', async () => {
    const dn = await newPerson();
    const { poller } = await watching();
    const before = Date.now();
    await reset(dn, 'by an administrator');
    const person = clientOf(ds);
    await person.bind(dn, 'by an administrator');
    await person.modify(dn, replace('userPassword', 'by the person'));
    await person.unbind();
    const link = { ask: async (request: (client: Client) => Promise<unknown>) => request(admin) };
    await sendExop(link as never, dn, Secret.fromText('by RFC 3062'), []);
    const found = await drained(poller);
    expect(found.map(({ word }) => word)).toEqual([
      'by an administrator',
      'by the person',
      'by RFC 3062',
    ]);
    expect(new Set(found.map(({ sequence }) => sequence)).size).toBe(3);
    // The server records seconds, and the poller uses the end of the second: never before the change.
    for (const { at } of found) expect(at - before).toBeGreaterThanOrEqual(0);
    for (const { at } of found) expect(at - Date.now()).toBeLessThan(1_000);
  });

  test(
    'changes that fill more than a page are read in order, and none twice',
    async () => {
      const dn = await newPerson();
      const { poller } = await watching();
      const words = Array.from({ length: 130 }, (_, nth) => `the word of number ${nth}`);
      for (const word of words) await reset(dn, word);
      expect((await drained(poller)).map(({ word }) => word)).toEqual(words);
    },
    MINUTES,
  );

  test('a capture names the account as the connector finds it, whatever spelling the client used', async () => {
    const dn = await newPerson();
    const { poller } = await watching();
    await reset(dn.toUpperCase().replaceAll(',', ' , '), 'in capital letters');
    expect(await drained(poller)).toMatchObject([{ account: dn, word: 'in capital letters' }]);
  });

  test('a renamed account is captured by its new name, and a deleted account is skipped', async () => {
    const [renamed, gone] = [await newPerson(), await newPerson()];
    const { poller } = await watching();
    for (const dn of [renamed, gone]) await reset(dn, 'before it was renamed');
    const now = `uid=Other${uniqueName()},${people}`;
    await admin.modifyDN(renamed, now);
    await admin.del(gone);
    expect(await drained(poller)).toMatchObject([{ account: now }]);
  });

  test('accounts outside the base, new accounts and changes of other attributes are skipped', async () => {
    const { poller } = await watching();
    const dn = await newPerson();
    await admin.modify(dn, replace('description', 'unhashed#user#password: not one'));
    await reset(RELAY, secrets.relay);
    await admin.modify(dn, replace('userPassword'));
    expect(await drained(poller)).toEqual([]);
  });

  test('a hash that a client wrote is captured as a hash', async () => {
    const dn = await newPerson();
    const { poller } = await watching();
    const hash = ssha(Secret.fromText('of another system'));
    await reset(dn, hash);
    expect(await drained(poller)).toMatchObject([{ account: dn, word: hash, hashed: true }]);
  });

  test('a password written with the prefix {CLEAR} is captured without the prefix', async () => {
    const dn = await newPerson();
    const { poller } = await watching();
    await reset(dn, '{CLEAR}as it is');
    expect(await drained(poller)).toMatchObject([{ account: dn, word: 'as it is', hashed: false }]);
    const person = clientOf(ds);
    await person.bind(dn, 'as it is');
    await person.unbind();
  });

  test('a poller that was killed before it acknowledged a page reads the same page again', async () => {
    const dn = await newPerson();
    const { poller, file } = await watching();
    for (const word of ['the first', 'the second']) await reset(dn, word);
    const first = textsOf(await poller.read());
    const again = await open({}, file);
    expect(textsOf(await again.poller.read())).toEqual(first);
    expect(first).toHaveLength(2);
  });

  test('a poller moves to the startpoint of an operator: begin, end, a cursor, a time', async () => {
    const dn = await newPerson();
    const { poller } = await watching();
    await reset(dn, 'number one');
    const [one] = await drained(poller);
    await until(async () => Date.now() > (one?.at ?? 0));
    await reset(dn, 'number two');
    await drained(poller);
    const wordsFrom = async (startpoint: Parameters<Poller['moveTo']>[0]) => {
      await poller.moveTo(startpoint);
      const found = await drained(poller);
      return found.filter(({ account }) => account === dn).map(({ word }) => word);
    };
    expect(await wordsFrom({ from: 'begin' })).toEqual(['number one', 'number two']);
    expect(await wordsFrom({ from: 'end' })).toEqual([]);
    const cursor = one?.sequence ?? '';
    expect(await wordsFrom({ from: 'cursor', cursor })).toEqual(['number two']);
    expect(await wordsFrom({ from: 'cursor', cursor: cursor.replace(/\/.*/, '') })).toEqual([
      'number two',
    ]);
    for (const unknown of ['99999999', cursor.replace(/\/.*/, '/of-another-changelog')])
      await expect(poller.moveTo({ from: 'cursor', cursor: unknown })).rejects.toMatchObject({
        code: 'startpoint_unknown',
      });
    const at = new Date(one?.at ?? 0);
    expect(await wordsFrom({ from: 'time', at })).toEqual(['number one', 'number two']);
    expect(await wordsFrom({ from: 'time', at: new Date(at.getTime() + 1) })).toEqual([
      'number two',
    ]);
  });

  test('with erase, a password that is durable no longer appears in the changelog', async () => {
    const dn = await newPerson();
    const word = `pässwörd to be erased ${uniqueName()}`;
    const long = `${word} ${'0123456789'.repeat(20)}`;
    const { poller } = await watching({ erase: true });
    for (const one of [word, long, 'plain and erased']) await reset(dn, one);
    const page = await poller.read();
    expect(await changelog()).toContain('plain and erased');
    expect(textsOf(page)).toHaveLength(3);
    await persist(() => poller.acknowledge(page));
    const left = await changelog();
    const base64 = (text: string) => Buffer.from(text).toString('base64').slice(0, 40);
    for (const one of [word, base64(word), 'plain and erased']) expect(left).not.toContain(one);
    expect(left.match(/replace: unhashed#user#password/g)?.length).toBeGreaterThanOrEqual(3);
    await poller.moveTo({ from: 'cursor', cursor: page.captures[0]?.sequence ?? '' });
    expect(await drained(poller)).toEqual([]);
  });

  test('a poller reports an unreachable server, and continues where it was', async () => {
    const proxy = await startProxy({ host: '127.0.0.1', port: ds.port });
    const dn = await newPerson();
    const { poller } = await watching({ url: `ldaps://127.0.0.1:${proxy.address.port}` });
    await proxy.refuse();
    proxy.cut();
    await reset(dn, 'changed while unreachable');
    for (let tries = 0; tries < 3; tries++)
      await expect(poller.read()).rejects.toMatchObject({ code: 'unreachable' });
    await proxy.pass();
    expect(await drained(poller)).toMatchObject([{ word: 'changed while unreachable' }]);
    await proxy.stop();
  });

  test('a wrong password of the service account causes only one login', async () => {
    const { poller } = await open({ bindPassword: '${file:wrong}' });
    const now = performance.now.bind(performance);
    for (const later of [0, 1, 11_000, 59 * MINUTES]) {
      const clock = jest.spyOn(performance, 'now').mockImplementation(() => now() + later);
      await expect(poller.read()).rejects.toMatchObject({ code: 'service_credential_refused' });
      clock.mockRestore();
    }
    const attributes = ['passwordRetryCount'];
    const { searchEntries } = await admin.search(RELAY, { scope: 'base', attributes });
    expect(searchEntries[0]?.passwordRetryCount).toBe('1');
    expect(await drained((await watching()).poller)).toEqual([]);
  });

  test('a poller without the right to read the changelog or accounts reports that and skips nothing', async () => {
    const { poller, file } = await watching();
    const dn = await newPerson();
    await reset(dn, 'not readable yet');
    const [entry] = (await admin.search('cn=changelog', { scope: 'base', attributes: ['aci'] }))
      .searchEntries;
    const { poller: other } = await watching();
    await persist(() => admin.modify('cn=changelog', replace('aci')));
    // The server answers the modification a moment before it applies the new rights.
    await until(() =>
      other.read().then(
        () => false,
        ({ code }) => code === 'no_rights',
      ),
    );
    await expect(poller.read()).rejects.toMatchObject({ code: 'no_rights' });
    const acis = [entry?.aci ?? []].flat().map(String);
    await persist(() => admin.modify('cn=changelog', replace('aci', ...acis)));
    const elsewhere = await open({ base: 'ou=nowhere,dc=example,dc=com' }, file);
    await expect(elsewhere.poller.read()).rejects.toMatchObject({ code: 'no_rights' });
    expect(await drained(poller)).toMatchObject([{ word: 'not readable yet' }]);
  });

  test(
    'a poller reports changes that were trimmed before it read them as missed, and continues',
    async () => {
      const dn = await newPerson();
      const { poller, file } = await watching();
      await reset(dn, 'soon trimmed');
      // Trimming always leaves the last entry.
      await admin.modify(dn, replace('description', 'no password'));
      await applyLdif(admin, TRIMMED_AT_ONCE);
      await poller.close();
      await restart();
      const [, last = 0] = await bounds();
      await until(async () => (await bounds())[0] === last);
      await applyLdif(admin, TRIMMED_AT_ONCE.replaceAll(/ \ds$/gm, ' 1d'));
      await restart();
      await reset(dn, 'after the trimming');
      const again = await open({}, file);
      const page = await again.poller.read();
      expect(page.missed).toBe(true);
      await again.poller.acknowledge(page);
      expect(textsOf(page)).toMatchObject([{ word: 'after the trimming' }]);
      expect(await again.poller.read()).toMatchObject({ missed: false, captures: [] });
    },
    MINUTES,
  );

  test(
    'a poller reports missed changes after the changelog was recreated, and reads it from its beginning',
    async () => {
      const dn = await newPerson();
      const { poller, file } = await watching();
      await poller.close();
      await admin.unbind();
      await ds.stop();
      rmSync(path.join(dir, 'ds', 'db', 'changelog'), { recursive: true });
      ds = await ds.restart();
      admin = await manager(ds, secrets.admin);
      await letRelayRead(admin);
      await reset(dn, 'of the new one');
      const [, last] = await bounds();
      expect(last).toBeLessThan(Number.parseInt(readFileSync(file, 'utf8'), 10));
      const again = await open({}, file);
      const page = await again.poller.read();
      expect(page).toMatchObject({ missed: true });
      expect(textsOf(page)).toMatchObject([{ word: 'of the new one' }]);
      await again.poller.acknowledge(page);
      expect(await again.poller.read()).toMatchObject({ missed: false, captures: [] });
    },
    MINUTES,
  );
});

const TRIMMED_AT_ONCE = `dn: cn=Retro Changelog Plugin,cn=plugins,cn=config
changetype: modify
replace: nsslapd-changelogmaxage
nsslapd-changelogmaxage: 1s
-
replace: nsslapd-changelog-trim-interval
nsslapd-changelog-trim-interval: 1s
`;

/**
 * Repeats a write until it succeeds. The server answers a change before it adds the changelog entry, and refuses a write that
 * conflicts with that entry with "operations error".
 */
const persist = (write: () => Promise<unknown>) =>
  until(() =>
    write().then(
      () => true,
      () => false,
    ),
  );
