import { audited } from '../support/audited';
import { addCrmOutbox, OUTBOX_PASSWORD } from '../support/crm-outbox';
import { brokenInvariants } from '../support/invariants';
import { holders, newPassword } from '../support/people';
import { type RelayedCompany, startRelayedCompany } from '../support/relayed-company';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

const MINUTES = 60_000;

/** End to end: from the table of an application, by trigger and relay, to a directory that accepts hashes of that scheme. */
describeWith(['slapd', 'postgres', 'temporal'], 'hashes from the outbox of an application', () => {
  let relayed: RelayedCompany;
  let { company, lockstep, api, relay } = {} as RelayedCompany;
  let outbox: Awaited<ReturnType<typeof addCrmOutbox>>;
  let desk: string;

  beforeAll(async () => {
    relayed = await startRelayedCompany({ sources: {} });
    ({ company, lockstep, api } = relayed);
    outbox = await addCrmOutbox(company);
    relay = await relayed.addRelay('crm', outbox.settings);
    desk = await api.newKey(['trigger']);
    // The relay was tried with a capture of an unlinked account.
    await until(async () => (await auditedHere('capture.%')) === 1);
    const { crm, apps } = company.sources({
      crm: { capture: { enabled: true, verifyCurrent: false, forms: ['ssha512'] } },
    });
    const { settings } = Object(apps);
    await lockstep.configure({
      version: 1,
      sources: { crm, apps: { ...apps, settings: { ...settings, hashes: ['ssha512'] } } },
      policies: { everyone: {} },
      groups: { all: { policy: 'everyone', authSource: 'apps', sources: ['apps', 'crm'] } },
    });
  }, 2 * MINUTES);
  afterEach(async () => {
    expect(await brokenInvariants(lockstep.database.db)).toEqual({});
  });
  afterAll(async () => {
    await relayed.stop();
    outbox.remove();
  });

  const changesOf = async (person: string) =>
    lockstep.database.db
      .selectFrom('change')
      .select(['state', 'captured_at as captured', 'ended_at as ended'])
      .where('identity_name', '=', person)
      .orderBy('seq')
      .execute();
  const auditedHere = (pattern: string) => audited(lockstep.database.db, pattern);
  /** Adds a person after the first password of the new row was captured, when its account is not linked yet. */
  async function newPerson() {
    const before = await auditedHere('capture.unmapped');
    const accounts = [await company.addAccount('apps'), await company.addAccount('crm')];
    await until(async () => (await auditedHere('capture.unmapped')) === before + 1);
    return { person: await lockstep.addPerson(accounts), accounts };
  }

  test('a changed hash reaches a directory that accepts its scheme, and the password works there', async () => {
    const { person, accounts } = await newPerson();
    const word = newPassword();
    await accounts[1]?.changeThere(word);
    await until(async () => (await changesOf(person)).at(-1)?.state === 'done');
    expect(await holders(accounts, word)).toEqual([true, true]);
  });

  test('a hash that Lockstep wrote is recognized as an echo, and the next change in the table is not', async () => {
    const { person, accounts } = await newPerson();
    const before = await auditedHere('capture.echo');
    const word = newPassword();
    const body = { identity: person, password: word };
    expect((await api.send('POST', '/v1/changes', { key: desk, body })).status).toBe(202);
    await until(async () => (await auditedHere('capture.echo')) === before + 1);
    expect(await changesOf(person)).toMatchObject([{ captured: null }]);
    const next = newPassword();
    await accounts[1]?.changeThere(next);
    await until(async () => {
      const changes = await changesOf(person);
      return changes.length === 2 && changes.every(({ ended }) => ended !== null);
    });
    expect(await holders(accounts, next)).toEqual([true, true]);
  });

  test('a hash that is changed while the relay is down arrives after it restarts', async () => {
    const { person, accounts } = await newPerson();
    await relay.kill();
    const words = [newPassword(), newPassword()];
    for (const word of words) await accounts[1]?.changeThere(word);
    await relay.start();
    await until(async () => (await holders(accounts, words[1] ?? ''))[0] === true);
    await until(async () => (await changesOf(person)).every(({ ended }) => ended !== null));
    expect(relay.printed()).not.toMatch(/SSHA512|A new one for everybody/);
    expect(relay.printed()).not.toContain(OUTBOX_PASSWORD);
  });
});
