import { reportPresence } from '../../store/presence';
import { type Reply, startTestApi, type TestApi } from '../support/api';
import { follow } from '../support/event-stream';
import {
  addPerson,
  applyTestConfiguration,
  ended,
  planned,
  settled,
} from '../support/played-worker';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'an early answer', () => {
  let api: TestApi;
  let people = 0;

  beforeAll(async () => {
    api = await startTestApi();
    await applyTestConfiguration(api.database.db);
  });
  // Without this the changes would show after a while that no worker runs.
  beforeEach(() => reportPresence(api.database.db, 'test'));
  afterAll(() => api.stop());

  async function person(): Promise<string> {
    const name = `person-${++people}`;
    await addPerson(api.database.db, name);
    return name;
  }

  const start = (identity: string, headers: Record<string, string> = {}) =>
    api.send('POST', '/v1/changes', {
      body: { identity, password: 'correct horse battery staple' },
      headers,
    });
  const idOf = ({ body }: Reply) => String(body.id);
  /** The id of the latest change of the person, as soon as there is one. */
  async function latestOf(identity: string): Promise<string> {
    for (;;) {
      const { body } = await api.send('GET', `/v1/changes?identity=${identity}`);
      const [change] = body.changes as { id: string }[];
      if (change !== undefined) return change.id;
    }
  }

  describe('waiting', () => {
    test(keeps('a client can wait until every account has its outcome', 18), async () => {
      const alice = await person();
      const waiting = start(alice, { prefer: 'wait=30' });
      const id = await latestOf(alice);
      await planned(api.database.db, id, alice);
      await settled(api.database.db, id, 'directory');
      await settled(api.database.db, id, 'warehouse', {
        state: 'rejected',
        reason: 'policy_history',
        proof: 'none',
      });
      await ended(api.database.db, id, { state: 'partial', reason: null });
      const reply = await waiting;
      expect(reply.status).toBe(200);
      expect(reply.headers.get('preference-applied')).toBe('wait=30');
      expect(reply.body).toMatchObject({
        state: 'partial',
        accounts: [
          {
            label: 'directory',
            role: 'auth',
            outcome: 'applied',
            says: 'holds the new password',
            proved: true,
          },
          {
            label: 'warehouse',
            outcome: 'rejected',
            reason: 'policy_history',
            says: expect.stringMatching(
              /^rejected by its source: The source rejects the password because/,
            ),
            proved: false,
          },
        ],
      });
    });

    test(keeps('a client can wait until the auth account holds the password', 18), async () => {
      const alice = await person();
      const waiting = start(alice, { prefer: 'wait=30, until=auth' });
      const id = await latestOf(alice);
      await planned(api.database.db, id, alice);
      const early = await api.send('GET', `/v1/changes/${id}`);
      expect(early.body).toMatchObject({
        accounts: [
          { outcome: 'pending', says: 'not begun' },
          { says: 'waiting for the auth account' },
        ],
      });
      await settled(api.database.db, id, 'directory');
      const reply = await waiting;
      expect(reply.status).toBe(200);
      expect(reply.headers.get('preference-applied')).toBe('wait=30, until=auth');
      expect(reply.body).toMatchObject({ state: 'applying', endedAt: null });
    });

    test('the answer to a refused change has the reason of the auth account and the change', async () => {
      const alice = await person();
      const waiting = start(alice, { prefer: 'wait=30, until=auth' });
      const id = await latestOf(alice);
      await planned(api.database.db, id, alice);
      const refusal = { state: 'rejected', reason: 'policy_history', proof: 'none' } as const;
      await settled(api.database.db, id, 'directory', refusal);
      await ended(api.database.db, id, { state: 'refused', reason: 'policy_history' });
      const reply = await waiting;
      expect(reply.status).toBe(422);
      expect(reply.headers.get('location')).toBe(`/v1/changes/${id}`);
      expect(reply.body).toMatchObject({
        code: 'auth_account_refused',
        reason: 'policy_history',
        change: { id, state: 'refused', reason: 'policy_history' },
      });
    });

    test('a client waits no longer than it asked to', async () => {
      const alice = await person();
      const reply = await start(alice, { prefer: 'respond-async, wait=1' });
      expect(reply.status).toBe(202);
      expect(reply.body.state).toBe('accepted');
    });

    test('hundreds of readers can wait for one change', async () => {
      const alice = await person();
      const id = idOf(await start(alice));
      const readers = [...Array(200).keys()].map(() =>
        api.send('GET', `/v1/changes/${id}?wait=30`),
      );
      await ended(api.database.db, id, { state: 'cancelled', reason: null });
      const replies = await Promise.all(readers);
      expect(new Set(replies.map(({ body }) => body.state))).toEqual(new Set(['cancelled']));
    });
  });

  describe('events', () => {
    test('the event stream sends the change after each update, and an end event', async () => {
      const alice = await person();
      const id = idOf(await start(alice));
      const events = follow(api, `/v1/changes/${id}/events`);
      expect(await events.next()).toMatchObject({
        event: 'change',
        id: '1',
        data: { state: 'accepted' },
      });
      await planned(api.database.db, id, alice);
      expect(await events.next()).toMatchObject({
        event: 'change',
        id: '2',
        data: { accounts: [{ outcome: 'pending' }, { outcome: 'pending' }] },
      });
      await settled(api.database.db, id, 'directory');
      expect(await events.next()).toMatchObject({
        event: 'change',
        id: '3',
        data: { accounts: [{ outcome: 'applied' }, { outcome: 'pending' }] },
      });
      await ended(api.database.db, id, { state: 'partial', reason: null });
      expect(await events.next()).toMatchObject({ event: 'change', data: { state: 'partial' } });
      expect(await events.next()).toMatchObject({ event: 'end' });
      expect(await events.next()).toBeNull();
    });

    test('the event stream continues after the listening connection was lost', async () => {
      const alice = await person();
      const id = idOf(await start(alice));
      const events = follow(api, `/v1/changes/${id}/events`);
      expect(await events.next()).toMatchObject({ data: { state: 'accepted' } });
      const { rowCount } = await api.database.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = 'lockstep listener' and datname = current_database()`,
      );
      expect(rowCount).toBe(1);
      await ended(api.database.db, id, { state: 'cancelled', reason: null });
      expect(await events.next()).toMatchObject({ data: { state: 'cancelled' } });
      expect(await events.next()).toMatchObject({ event: 'end' });
    });

    test('the event stream of an ended change sends the change and the end event', async () => {
      const alice = await person();
      const id = idOf(await start(alice));
      await ended(api.database.db, id, { state: 'cancelled', reason: null });
      const events = follow(api, `/v1/changes/${id}/events`, { 'last-event-id': '7' });
      expect(await events.next()).toMatchObject({ event: 'change', data: { state: 'cancelled' } });
      expect(await events.next()).toMatchObject({ event: 'end' });
      expect(await events.next()).toBeNull();
    });
  });
});
