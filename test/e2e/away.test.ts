import { setTimeout as sleep } from 'node:timers/promises';
import { inheritedEnvironment } from '../../config';
import type { CompanyAccount } from '../support/company';
import { brokenInvariants } from '../support/invariants';
import { addSomebody, holders } from '../support/people';
import { type RelayedCompany, startRelayedCompany } from '../support/relayed-company';
import { describeWith } from '../support/servers';
import { until } from '../support/until';

/**
 * How long the service is down. `AWAY_SECONDS=600 npm test -- test/e2e/away` runs the ten minutes that docs/operating.md
 * describes.
 */
const AWAY_MS = 1000 * Number(inheritedEnvironment().AWAY_SECONDS ?? 6);
const PEOPLE = 12;
const PAUSE_MS = 200;
const MINUTES = 60_000;

interface Person {
  readonly person: string;
  readonly accounts: readonly CompanyAccount[];
  /** Passwords that were set in the directory, in order. */
  readonly words: string[];
}

describeWith(['slapd', 'postgres', 'temporal'], 'an outage while people change passwords', () => {
  let relayed: RelayedCompany;
  let people: Person[];

  beforeAll(async () => {
    relayed = await startRelayedCompany({ sources: { directory: { capture: { enabled: true } } } });
    const { lockstep, company } = relayed;
    people = await Promise.all(
      Array.from({ length: PEOPLE }, async () => ({
        ...(await addSomebody(lockstep, company, 'directory', 'apps', 'crm')),
        words: [],
      })),
    );
  }, 2 * MINUTES);
  afterAll(() => relayed.stop());

  let handedOver = 0;
  /** Changes the password of one person after another in the directory, which hands each change over. */
  async function changeUntil(ended: () => boolean): Promise<void> {
    for (let turn = 0; !ended(); turn++) {
      const { accounts, words } = people[turn % PEOPLE] as Person;
      const word = `word ${words.length}, which is hard to guess`;
      await accounts[0]?.changeThere(word);
      if (await handsOver(accounts[0]?.name ?? '', word)) words.push(word);
      await sleep(PAUSE_MS);
    }
  }
  /** Hands a change over and retries while the relay is down, as shims do. */
  async function handsOver(account: string, word: string): Promise<boolean> {
    const capturedAt = new Date();
    const sequence = `${++handedOver}`;
    const answer = () =>
      relayed.relay.handOver(account, word, { capturedAt, sequence }).catch(() => 'away');
    await until(async () => (await answer()) === 'stored');
    return true;
  }
  const changesOf = (person: string) =>
    relayed.lockstep.database.db
      .selectFrom('change')
      .select(['captured_at as capturedAt', 'ended_at as ended'])
      .where('identity_name', '=', person)
      .orderBy('seq')
      .execute();

  test(
    'no change is lost, duplicated or reordered after an outage of api and workers in which the relay is killed',
    async () => {
      const { relay, api, lockstep } = relayed;
      let over = false;
      const changing = changeUntil(() => over);
      await until(async () => people.every(({ words }) => words.length > 1));
      await relayed.stopService();
      await sleep(AWAY_MS / 2);
      await relay.kill();
      await relay.start();
      await sleep(AWAY_MS / 2);
      await relayed.startService();
      await until(async () => people.every(({ words }) => words.length > 2));
      over = true;
      await changing;
      for (const { person, words } of people)
        await until(async () => {
          const changes = await changesOf(person);
          return changes.length === words.length && changes.every(({ ended }) => ended !== null);
        });
      for (const { person, accounts, words } of people) {
        expect(await holders(accounts, words.at(-1) ?? '')).toEqual([true, true, true]);
        const times = (await changesOf(person)).map(({ capturedAt }) => capturedAt?.getTime() ?? 0);
        expect(times).toEqual([...times].sort((one, other) => one - other));
      }
      expect(await brokenInvariants(lockstep.database.db)).toEqual({});
      const { body } = await api.send('GET', '/v1/relays', { key: await api.newKey(['read']) });
      // The relay was first tried with a capture of an unlinked account.
      expect(body.relays).toMatchObject([
        { backlog: 0, open: 0, lost: 0, quarantined: 0, received: handedOver + 1 },
      ]);
    },
    AWAY_MS * 3 + 5 * MINUTES,
  );
});
