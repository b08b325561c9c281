import { existsSync } from 'node:fs';
import path from 'node:path';
import { brokenInvariants } from '../support/invariants';
import { awkwardWords, holders } from '../support/people';
import { type RelayedCompany, startRelayedCompany } from '../support/relayed-company';
import { type RetroSource, startRetroSource } from '../support/retro-source';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const MINUTES = 60_000;

/** End to end: a password is changed in 389 Directory Server, and a relay that polls its changelog captures it. */
describeWith(['ds389', 'slapd', 'postgres', 'temporal'], 'captures from a polled source', () => {
  let ds: RetroSource;
  let relayed: RelayedCompany;

  beforeAll(async () => {
    ds = await startRetroSource();
    relayed = await startRelayedCompany({
      sources: { directory: { settings: ds.settings, capture: { enabled: true } } },
      relay: ds.relay,
    });
    // The poller captures changes that are made after its first read.
    await until(() => existsSync(path.join(relayed.relay.spool, 'place')));
  }, 3 * MINUTES);
  afterAll(async () => {
    await relayed?.stop();
    await ds?.stop();
  });
  afterEach(async () => {
    expect(await brokenInvariants(relayed.lockstep.database.db)).toEqual({});
  });

  async function newPerson() {
    const { company, lockstep } = relayed;
    const others = (['apps', 'warehouse', 'crm'] as const).map(company.addAccount);
    const accounts = [await ds.addAccount('directory'), ...(await Promise.all(others))];
    return { person: await lockstep.addPerson(accounts), accounts };
  }
  const changesOf = (person: string) =>
    relayed.lockstep.database.db
      .selectFrom('change')
      .select(['state', 'ended_at as ended', 'origin_account_id as origin'])
      .where('identity_name', '=', person)
      .orderBy('seq')
      .execute();
  const endOf = (person: string, count: number) =>
    until(async () => {
      const changes = await changesOf(person);
      return changes.length >= count && changes.every(({ ended }) => ended !== null);
    });
  const inChangelog = async (word: string) => {
    const { searchEntries } = await ds.admin().search('cn=changelog', { scope: 'one' });
    const base64 = Buffer.from(word).toString('base64').slice(0, 60);
    return [word, base64].some((one) => JSON.stringify(searchEntries).includes(one));
  };

  test.each(awkwardWords)(
    'every account gets a polled password byte for byte: %s',
    async (_title, word) => {
      const { person, accounts } = await newPerson();
      await accounts[0]?.changeThere(word);
      await endOf(person, 1);
      expect(await holders(accounts, word)).toEqual([true, true, true, true]);
      expect(await changesOf(person)).toMatchObject([
        { state: 'done', origin: expect.any(String) },
      ]);
      await until(async () => !(await inChangelog(word)));
    },
  );

  test('a password that Lockstep wrote is recognized as an echo, and the next change in the source is not', async () => {
    const { person, accounts } = await newPerson();
    const body = { identity: person, password: 'written by Lockstep itself' };
    const key = await relayed.api.newKey(['trigger']);
    const { status } = await relayed.api.send('POST', '/v1/changes', { key, body });
    expect(status).toBe(202);
    await endOf(person, 1);
    await until(async () => {
      const records = await relayed.lockstep.database.db
        .selectFrom('audit')
        .innerJoin('account', 'account.id', 'audit.subject')
        .select('action')
        .where('account.name', '=', accounts[0]?.name ?? '')
        .execute();
      return records.some(({ action }) => action === 'capture.echo');
    });
    await accounts[0]?.changeThere('and later on in its own place');
    await endOf(person, 2);
    expect(await changesOf(person)).toMatchObject([
      { origin: null },
      { origin: expect.any(String) },
    ]);
    expect(await holders(accounts, 'and later on in its own place')).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });

  test('changes are captured once and in order while relay and directory fail in turn', async () => {
    const { person, accounts } = await newPerson();
    const words = Array.from({ length: 4 }, (_, index) => `the word after number ${index}`);
    for (const word of words.slice(0, 2)) await accounts[0]?.changeThere(word);
    await relayed.relay.kill();
    await accounts[0]?.changeThere(words[2] ?? '');
    await relayed.relay.start();
    await ds.restart();
    await accounts[0]?.changeThere(words[3] ?? '');
    await endOf(person, 4);
    expect(await changesOf(person)).toHaveLength(4);
    expect(await holders(accounts, words[3] ?? '')).toEqual([true, true, true, true]);
    expect(relayed.relay.printed()).not.toContain('the word after number');
  });
});
