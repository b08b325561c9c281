import { findIdentity } from '../../store/people/identities';
import { linkMapping } from '../../store/people/mappings';
import { type PlayedAdapter, playAdapter } from '../support/adapters';
import type { TestApi } from '../support/api';
import { newPassword, uniqueName } from '../support/people';
import { describeWith } from '../support/servers';
import { companyDocument, workerSuite } from '../support/worker-suite';

/** Two changes of one person, whose legacy system needs the old password with the new one (decision 0053). */
describeWith(['slapd', 'postgres', 'temporal'], 'a source that needs the old password', () => {
  const suite = workerSuite();
  let api: TestApi;
  let adapter: PlayedAdapter;

  beforeAll(async () => {
    api = await suite.startApi();
    adapter = await playAdapter(api, 'legacy');
  });

  type Mode = 'continue' | 'directory-last';

  /** Configures the source as a member of a group with the directory and `apps`, and adds a person of each. */
  async function start(failureMode: Mode) {
    const base = companyDocument(suite.company) as { sources: object };
    const sync = {
      ...{ enabled: true, applications: ['host'], syncToAdapter: true },
      ...{ syncFromAdapter: true, verifyOldPassword: false },
    };
    await suite.lockstep.configure({
      ...base,
      sources: {
        ...base.sources,
        legacy: {
          ...{ kind: 'pull', settings: { retryDelaySeconds: 5, retryCount: 100 } },
          adapter: { ...sync, sendOldPassword: true },
        },
      },
      groups: {
        all: {
          ...{ policy: 'everyone', authSource: 'directory', failureMode },
          sources: ['directory', 'apps', 'legacy'],
        },
      },
      applications: { host: { source: 'legacy' } },
      sso: {
        switches: { windowsToAdapters: true, adaptersToStore: true, adaptersToWindows: true },
      },
    });
    await adapter.call('initialise');
    const [directory, apps] = [
      await suite.company.addAccount('directory'),
      await suite.company.addAccount('apps'),
    ];
    const legacy = { source: 'legacy', name: `USER${uniqueName()}` };
    const person = await suite.lockstep.addPerson([directory, apps, legacy]);
    const { db } = suite.lockstep.database;
    const identity = await findIdentity(db, { name: person });
    const account = identity?.accounts.find(({ source }) => source === 'legacy');
    const link = {
      application: 'host',
      identityId: identity?.id ?? '',
      accountId: account?.id ?? '',
    };
    await linkMapping(db, { ...link, enabled: true }, 'test');
    const first = newPassword();
    const change = async (password: string) => ({
      ...{ password, id: await suite.lockstep.accept({ person, password }) },
    });
    const initial = await change(first);
    await acknowledge(await received(), 'applied');
    await suite.lockstep.readEnd(initial.id);
    return { directory, apps, legacy, change, first };
  }

  /** The next message of the account. */
  async function received() {
    const [message] = await adapter.receive({ max: 1 });
    if (message?.message === undefined) throw new Error('no message');
    return message.message;
  }
  const acknowledge = ({ trackingId }: { readonly trackingId: string }, result: string) =>
    adapter.complete(trackingId, result);

  const waitsForAccount = (id: string) =>
    suite.lockstep.readUntil(id, ({ accounts }) =>
      accounts.some(
        ({ source, state, reason }) =>
          source === 'legacy' && state === 'waiting' && reason === 'account_in_use',
      ),
    );

  /** An older change whose message the adapter has and has not acknowledged, and a newer one that waits for it. */
  async function overlapping(mode: Mode) {
    const started = await start(mode);
    const older = await started.change(newPassword());
    const message = await received();
    expect(message).toMatchObject({ password: older.password, oldPassword: started.first });
    const newer = await started.change(newPassword());
    await waitsForAccount(newer.id);
    return { ...started, older, newer, message };
  }

  const modes: Mode[] = ['continue', 'directory-last'];

  test.each(modes)(
    'a newer change waits for the acknowledgement of the older one, and sends its password as the old one (%s)',
    async (mode) => {
      const { older, newer, message, directory, apps } = await overlapping(mode);
      expect(await acknowledge(message, 'applied')).toBe('recorded');
      const next = await received();
      expect(next).toMatchObject({ password: newer.password, oldPassword: older.password });
      expect(await acknowledge(next, 'applied')).toBe('recorded');
      expect(await suite.lockstep.readEnd(newer.id)).toMatchObject({ state: 'done' });
      expect(['done', 'superseded', 'partial']).toContain(
        (await suite.lockstep.readEnd(older.id)).state,
      );
      for (const account of [directory, apps])
        expect(await account.logsIn(newer.password)).toBe(true);
    },
  );

  test.each(modes)(
    'a newer change sends the stored password when the adapter has rejected the older one (%s)',
    async (mode) => {
      const { first, newer, message, directory } = await overlapping(mode);
      await acknowledge(message, 'rejected');
      const next = await received();
      expect(next).toMatchObject({ password: newer.password, oldPassword: first });
      await acknowledge(next, 'applied');
      expect(await suite.lockstep.readEnd(newer.id)).toMatchObject({ state: 'done' });
      expect(await directory.logsIn(newer.password)).toBe(true);
    },
  );

  test('a directory that goes last never gets an older password after other accounts got a newer one', async () => {
    const { first, older, newer, message, directory, apps } = await overlapping('directory-last');
    await acknowledge(message, 'applied');
    await acknowledge(await received(), 'rejected');
    expect(await suite.lockstep.readEnd(newer.id)).toMatchObject({ state: 'partial' });
    const ended = await suite.lockstep.readEnd(older.id);
    expect(ended.accounts.find(({ source }) => source === 'directory')?.state).toBe('superseded');
    expect(ended.state).not.toBe('done');
    expect(await apps.logsIn(newer.password)).toBe(true);
    expect(await directory.logsIn(first)).toBe(true);
    expect(await directory.logsIn(older.password)).toBe(false);
  });

  test('captured passwords do not wait for each other, nor for an older change that was not acknowledged', async () => {
    const { legacy, change } = await start('continue');
    const older = await change(newPassword());
    const message = await received();
    const [first, last] = [newPassword(), newPassword()];
    const ids: string[] = [];
    for (const password of [first, last]) {
      const reply = await adapter.call('send', { account: legacy.name, password });
      expect(reply).toMatchObject({ status: 202 });
      ids.push(String(reply.body.id));
    }
    for (const id of ids) await waitsForAccount(id);
    expect(await acknowledge(message, 'applied')).toBe('too_late');
    const next = await received();
    expect(next.password).toBe(last);
    const newest = await change(newPassword());
    await waitsForAccount(newest.id);
    expect(await acknowledge(next, 'already_current')).toBe('recorded');
    await suite.lockstep.readEnd(ids[1] ?? '');
    // Ends the lease of the attempt of the older change, which would end by itself within a minute.
    await suite.lockstep.database.db
      .updateTable('account')
      .set({ claimed_until: null })
      .where('name', '=', legacy.name)
      .execute();
    const after = await received();
    expect(after).toMatchObject({ password: newest.password, oldPassword: last });
    await acknowledge(after, 'applied');
    for (const id of [older.id, ...ids, newest.id]) await suite.lockstep.readEnd(id);
  });
});
