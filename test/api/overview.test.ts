import type { Overview } from '../../cli/http/answers';
import { lockstepAt } from '../cli/run-cli';
import { ended, planned, settled } from '../support/played-worker';
import { PASSWORD, type ScimProvider, startScimProvider } from '../support/scim-provider';
import { describeWith } from '../support/servers';

describeWith(['postgres'], 'the overview of a person', () => {
  let provider: ScimProvider;
  const lockstep = lockstepAt(() => provider.api);

  beforeAll(async () => {
    provider = await startScimProvider();
  });
  afterAll(() => provider.api.stop());

  const overview = async (person: string, key?: string) => {
    const path = `/v1/identities/${encodeURIComponent(person)}/overview`;
    const { body } = await provider.api.send('GET', path, key === undefined ? {} : { key });
    return body as unknown as Overview;
  };
  const change = async (person: string) => {
    const { db } = provider.api.database;
    const { body } = await provider.api.send('POST', '/v1/changes', {
      body: { identity: person, password: PASSWORD },
    });
    const id = String(body.id);
    await planned(db, id, person);
    return id;
  };
  const done = async (person: string) => {
    const { db } = provider.api.database;
    const id = await change(person);
    for (const label of ['directory', 'warehouse']) await settled(db, id, label);
    await ended(db, id, { state: 'done', reason: null });
    return id;
  };

  test('an account shows the password that it holds, since when and how it was verified', async () => {
    const person = await provider.person();
    expect((await overview(person)).accounts).toMatchObject([
      { source: 'directory', holds: 'unknown', held: null },
      { source: 'warehouse', holds: 'unknown', held: null },
    ]);
    const id = await done(person);
    const held = { change: id, since: expect.any(String), proof: 'login' };
    expect(await overview(person)).toMatchObject({
      accounts: [
        { source: 'directory', holds: 'newest', held, open: null, stale: null },
        { source: 'warehouse', holds: 'newest', held, open: null, stale: null },
      ],
      changes: [{ id, state: 'done' }],
      captures: [],
      next: [],
    });
  });

  test('an account that waits shows why, and how to go on', async () => {
    const { db } = provider.api.database;
    const person = await provider.person();
    const first = await done(person);
    const id = await change(person);
    await settled(db, id, 'directory');
    const waits = { state: 'waiting', reason: 'unreachable', proof: 'none', nextTryInMs: 60_000 };
    await settled(db, id, 'warehouse', waits as object);
    const { accounts, next } = await overview(person);
    expect(accounts[1]).toMatchObject({
      source: 'warehouse',
      holds: 'older',
      held: { change: first },
      open: { change: id, state: 'waiting', says: expect.stringContaining('cannot be reached') },
    });
    expect(next).toEqual([expect.stringContaining(`"lockstep retry ${id}"`)]);
  });

  test('an account of a paused source names who has paused it, and has no retry and no time', async () => {
    const { api } = provider;
    const { db } = api.database;
    const person = await provider.person();
    const id = await change(person);
    await settled(db, id, 'directory');
    const waits = { state: 'waiting', reason: 'unreachable', proof: 'none', nextTryInMs: 60_000 };
    await settled(db, id, 'warehouse', waits as object);
    const key = await api.newKey(['operate']);
    await api.send('POST', '/v1/sources/warehouse/pause', { key });
    const { accounts, next } = await overview(person);
    const { body } = await api.send('GET', '/v1/keys');
    const keys = body.keys as { id: string; name: string }[];
    const name = keys.find((one) => one.id === `key_${key.split('_')[1]}`)?.name;
    expect(accounts[1]?.open).toMatchObject({
      ...{ reason: 'source_paused', nextTryAt: null },
      says: expect.stringContaining(`${name} has paused this source.`),
    });
    expect(next).toEqual([expect.stringMatching(/^warehouse: .*a retry does not help/)]);
    const { sources } = (await api.send('GET', '/v1/sources')).body;
    expect(sources).toContainEqual(
      expect.objectContaining({
        name: 'warehouse',
        says: expect.stringContaining(`${name} has paused this source.`),
      }),
    );
    const waiting = await api.send('GET', '/v1/sources/warehouse/waiting');
    expect(waiting.body.groups).toMatchObject([{ reason: 'unreachable', nextTryAt: null }]);
    await api.send('POST', '/v1/sources/warehouse/resume');
    expect((await overview(person)).accounts[1]?.open).toMatchObject({
      ...{ reason: 'unreachable', nextTryAt: expect.any(String) },
    });
  });

  test('a refused capture shows its reason in the overview, in stale, and below the last change', async () => {
    const person = await provider.person();
    const id = await done(person);
    await provider.api.send('POST', '/v1/captures', {
      body: {
        source: 'warehouse',
        account: person,
        password: 'short',
        capturedAt: new Date(Date.now() + 500).toISOString(),
      },
    });
    const { accounts, captures, next } = await overview(person);
    expect(captures).toMatchObject([
      {
        source: 'warehouse',
        account: person,
        reason: 'password_against_policy',
        says: expect.stringMatching(/policy/),
      },
    ]);
    expect(accounts[1]).toMatchObject({
      holds: 'older',
      holdsNow: 'changedThere',
      stale: { code: 'capture_without_effect', reason: 'password_against_policy' },
    });
    expect(next).toEqual([expect.stringMatching(/^warehouse: .*Change the password again/)]);
    const shown = await lockstep(['identities', 'show', person]);
    expect(shown.stdout).toContain('Password changes in a source that had no effect:');
    expect(shown.stdout).toMatch(
      /^warehouse +another password, which was changed in its source +\d+ s ago +verified by a login$/m,
    );
    const status = await lockstep(['status', id]);
    expect(status.stdout).toMatch(
      /^✔ .*: every account took the new password; 1 changed in the source since/m,
    );
    expect(status.stdout).toMatch(
      /warehouse .*took it, verified by a login; holds a newer password$/m,
    );
    expect(status.stdout).toContain(`A later password change of ${person} had no effect:`);
  });

  test('a key that is bound to groups sees only the accounts of its groups', async () => {
    const person = await provider.person();
    const key = await provider.api.newKey(['help-desk'], ['finance']);
    expect(await overview(person, key)).toMatchObject({ code: 'not_found' });
  });
});
