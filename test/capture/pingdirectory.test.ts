import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Attribute, Change, Client } from 'ldapts';
import type { Poller } from '../../capture/polling/poller';
import { isRoot } from '../../local/places';
import { drained, textsOf } from '../support/drained';
import { uniqueName } from '../support/people';
import { pollerBench } from '../support/poller-bench';
import { startProxy } from '../support/proxy';
import { describeWith, type ServerFacts, type StartedServer, server } from '../support/servers';
import { startUnboundid, unboundidSuffix } from '../support/servers/unboundid';

const DEFINITION = randomBytes(32).toString('hex');
const PASSPHRASE = 'the pässphrase of a definition';
const PEOPLE = `ou=people,${unboundidSuffix}`;
const KEPT = 60;

/** Uses the in-memory directory of the SDK, with a changelog of limited length and passwords in {AES256}. */
describeWith(['unboundid'], 'polling PingDirectory', () => {
  const dir = mkdtempSync(path.join(isRoot ? '/var/tmp' : os.tmpdir(), 'ls-ping-'));
  let running: StartedServer;
  let facts: ServerFacts;
  let admin: Client;
  const { open, watching } = pollerBench('pingdirectory', {
    settings: () => ({
      ...{ url: facts.url, ca: facts.caFile, base: PEOPLE },
      bindDn: `cn=lockstep,ou=services,${unboundidSuffix}`,
      bindPassword: '${file:lockstep}',
      definitions: { [DEFINITION.toUpperCase()]: '${file:passphrase}' },
    }),
    secrets: () => ({
      '${file:lockstep}': facts.lockstep,
      '${file:passphrase}': PASSPHRASE,
      '${file:other}': 'another one',
    }),
  });

  async function start(name: string, more: Record<string, number> = {}): Promise<void> {
    const { jar = '', classes = '' } = server('unboundid');
    const settings = { definition: DEFINITION, passphrase: PASSPHRASE, changelogEntries: KEPT };
    const at = path.join(dir, name);
    running = await startUnboundid(at, { jar, classes }, { ...settings, ...more });
    facts = running.facts;
    const { url = '', caFile = '' } = facts;
    admin = new Client({ url, tlsOptions: { ca: [readFileSync(caFile)] }, timeout: 50_000 });
    await admin.bind('cn=Directory Manager', facts.admin ?? '');
  }
  beforeAll(async () => {
    chmodSync(dir, 0o755);
    await start('first');
  }, 60_000);
  afterAll(async () => {
    await admin?.unbind();
    await running?.stop();
    rmSync(dir, { recursive: true });
  });

  async function newPerson(): Promise<string> {
    const uid = `Person${uniqueName()}`;
    const dn = `uid=${uid},${PEOPLE}`;
    const names = { uid, cn: uid, sn: 'Test' };
    await admin.add(dn, { objectClass: 'inetOrgPerson', ...names, userPassword: `First-${uid}` });
    return dn;
  }
  const replace = (dn: string, type: string, ...values: string[]) =>
    admin.modify(
      dn,
      new Change({ operation: 'replace', modification: new Attribute({ type, values }) }),
    );
  const reset = (dn: string, password: string) => replace(dn, 'userPassword', password);

  test.each([
    ['plain', 'correct horse battery staple'],
    ['of quotes and backslashes', `it's "quoted" \\ and %s $1 {}`],
    ['of two lines', 'the first\nthe second \r\n'],
    ['of emoji and accents', 'pässwörd 🐦 пароль 密码'],
    ['of 256 characters', '0123456789abcdéf'.repeat(16)],
  ])('a password %s is read once and byte for byte', async (_title, word) => {
    const dn = await newPerson();
    const { poller } = await watching();
    await reset(dn, word);
    expect(await drained(poller)).toMatchObject([{ account: dn, word, hashed: false }]);
    expect(await drained(poller)).toEqual([]);
  });

  test('the time of a capture is the change time of the account, to the millisecond', async () => {
    const dn = await newPerson();
    const { poller } = await watching();
    const before = Date.now();
    await reset(dn, 'at a certain time');
    const after = Date.now();
    const [{ at } = { at: 0 }] = await drained(poller);
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(after);
  });

  test('only the last of several changes of an account is read, and accounts are ordered by that change', async () => {
    const [one, other] = [await newPerson(), await newPerson()];
    const { poller } = await watching();
    await reset(one, 'one, the first');
    await reset(other, 'other, the first');
    await reset(one, 'one, the second');
    expect(await drained(poller)).toMatchObject([
      { account: other, word: 'other, the first' },
      { account: one, word: 'one, the second' },
    ]);
  });

  test('a renamed account is captured by its current name; deleted accounts, new accounts and other changes are skipped', async () => {
    const [renamed, gone, other] = [await newPerson(), await newPerson(), await newPerson()];
    const { poller } = await watching();
    await reset(renamed.toUpperCase(), 'before it was renamed');
    await reset(gone, 'before it was deleted');
    await replace(other, 'description', 'userPassword: not one');
    await newPerson();
    const now = `uid=Other${uniqueName()},${PEOPLE}`;
    await admin.modifyDN(renamed, now);
    await admin.del(gone);
    expect(await drained(poller)).toMatchObject([{ account: now, word: 'before it was renamed' }]);
  });

  test('a password in another scheme is captured as a hash', async () => {
    const dn = await newPerson();
    const { poller } = await watching();
    const hash = '{SSHA256}mQ9vZ3cGZkQ1cGZkQ1cGZkQ1cGZkQ1cGmQ9vZ3cGZkQ1cGZkQ1cGZg==';
    await reset(dn, hash);
    expect(await drained(poller)).toMatchObject([{ account: dn, word: hash, hashed: true }]);
  });

  test.each([
    ['no passphrase', { definitions: {} }],
    ['a wrong passphrase', { definitions: { [DEFINITION]: '${file:other}' } }],
  ])(
    'a poller with %s reports that, and loses nothing until it has the right one',
    async (_title, wrong) => {
      const dn = await newPerson();
      const { file } = await watching();
      await reset(dn, 'sealed for now');
      const without = await open(wrong, file);
      await expect(without.poller.read()).rejects.toMatchObject({
        code: 'not_supported',
        vendorCode: DEFINITION,
      });
      const right = await open({}, file);
      expect(await drained(right.poller)).toMatchObject([{ word: 'sealed for now' }]);
    },
  );

  test('a poller that was killed before it acknowledged a page reads the same page again', async () => {
    const dn = await newPerson();
    const { poller, file } = await watching();
    await reset(dn, 'read twice');
    const first = textsOf(await poller.read());
    const again = await open({}, file);
    expect(textsOf(await again.poller.read())).toEqual(first);
    expect(first).toHaveLength(1);
  });

  test('a poller moves to the startpoint of an operator: begin, end, a cursor, a time', async () => {
    const [one, other] = [await newPerson(), await newPerson()];
    const { poller } = await watching();
    await reset(one, 'of the one');
    await reset(other, 'of the other');
    const [first, second] = await drained(poller);
    const wordsFrom = async (startpoint: Parameters<Poller['moveTo']>[0]) => {
      await poller.moveTo(startpoint);
      return (await drained(poller)).map(({ word }) => word);
    };
    expect((await wordsFrom({ from: 'begin' })).slice(-2)).toEqual(['of the one', 'of the other']);
    expect(await wordsFrom({ from: 'end' })).toEqual([]);
    const cursor = first?.sequence ?? '';
    expect(await wordsFrom({ from: 'cursor', cursor })).toEqual(['of the other']);
    const at = new Date((second?.at ?? 0) - 1);
    expect(await wordsFrom({ from: 'time', at })).toContain('of the other');
    expect(await wordsFrom({ from: 'time', at: new Date(Date.now() + 1_000) })).toEqual([]);
    await expect(poller.moveTo({ from: 'cursor', cursor: '999999' })).rejects.toMatchObject({
      code: 'startpoint_unknown',
    });
  });

  test('a poller reports changes that were trimmed before it read them as missed, and continues', async () => {
    const [one, other] = [await newPerson(), await newPerson()];
    const { poller } = await watching();
    await reset(one, 'soon trimmed');
    for (let nth = 0; nth < KEPT; nth++) await replace(other, 'description', String(nth));
    await reset(other, 'still there');
    const page = await poller.read();
    expect(page.missed).toBe(true);
    expect(textsOf(page)).toMatchObject([{ account: other, word: 'still there' }]);
    await poller.acknowledge(page);
    expect(await poller.read()).toMatchObject({ missed: false, captures: [] });
  });

  test('a poller reports an unreachable server, and reads a new changelog from its beginning', async () => {
    const proxy = await startProxy({ host: '127.0.0.1', port: Number(facts.port) });
    const { poller, file } = await watching({ url: `ldaps://127.0.0.1:${proxy.address.port}` });
    await proxy.refuse();
    proxy.cut();
    await expect(poller.read()).rejects.toMatchObject({ code: 'unreachable' });
    await proxy.stop();
    await admin.unbind();
    await running.stop();
    await start('second');
    const dn = await newPerson();
    await reset(dn, 'in a new changelog');
    const again = await open({}, file);
    const page = await again.poller.read();
    expect(page.missed).toBe(true);
    expect(textsOf(page)).toMatchObject([{ word: 'in a new changelog' }]);
  });
});
