import type { CompanyAccount } from '../support/company';
import { brokenInvariants } from '../support/invariants';
import { addSomebody, awkwardWords, holders } from '../support/people';
import { type RelayedCompany, startRelayedCompany } from '../support/relayed-company';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const MINUTES = 60_000;

/** End to end: a password is changed in a directory and reaches every other account through the relay. */
describeWith(['slapd', 'postgres', 'temporal'], 'captures from a relay', () => {
  let relayed: RelayedCompany;
  let { company, lockstep, api, relay } = {} as RelayedCompany;

  beforeAll(async () => {
    const captured = { capture: { enabled: true } };
    relayed = await startRelayedCompany({ sources: { directory: captured, crm: captured } });
    ({ company, lockstep, api, relay } = relayed);
  }, 2 * MINUTES);
  afterEach(async () => {
    expect(await brokenInvariants(lockstep.database.db)).toEqual({});
  });
  afterAll(() => relayed.stop());

  const newPerson = () => addSomebody(lockstep, company, 'directory', 'apps', 'warehouse', 'crm');
  const changesOf = async (person: string) =>
    lockstep.database.db
      .selectFrom('change')
      .select(['id', 'state', 'origin_account_id as origin', 'ended_at as ended'])
      .where('identity_name', '=', person)
      .orderBy('seq')
      .execute();
  /** Changes a password in the source, which hands it over to the relay. */
  async function changeThere(account: CompanyAccount | undefined, word: string) {
    await account?.changeThere(word);
    expect(await relay.handOver(account?.name ?? '', word)).toBe('stored');
  }

  test.each(awkwardWords)(
    'every account gets a captured password byte for byte: %s',
    async (_title, word) => {
      const { person, accounts } = await newPerson();
      await changeThere(accounts[0], word);
      await until(async () => (await changesOf(person))[0]?.state === 'done');
      expect(await holders(accounts, word)).toEqual([true, true, true, true]);
      expect(await changesOf(person)).toMatchObject([{ origin: expect.any(String) }]);
    },
  );

  test('every account ends with the newest password while api and relay fail in turn', async () => {
    const { person, accounts } = await newPerson();
    const words = Array.from({ length: 4 }, (_, index) => `the word after number ${index}`);
    await api.stopProcess();
    for (const word of words.slice(0, 2)) await changeThere(accounts[0], word);
    await relay.kill();
    await relay.start();
    for (const word of words.slice(2)) await changeThere(accounts[0], word);
    await api.restart();
    await until(async () => {
      const changes = await changesOf(person);
      return changes.length === 4 && changes.every(({ ended }) => ended !== null);
    });
    expect(await holders(accounts, words[3] ?? '')).toEqual([true, true, true, true]);
    expect((await changesOf(person)).at(-1)?.state).toBe('done');
    expect([api.printed(), relay.printed()].join()).not.toContain('the word after number');
  });
});
