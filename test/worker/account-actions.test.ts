import { sql } from 'kysely';
import { pauseSource } from '../../store/sources/state';
import { guardOf } from '../../store/worker/login-guard';
import type { TestApi } from '../support/api';
import type { CompanyAccount } from '../support/company';
import { newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { entryOf, workerSuite } from '../support/worker-suite';

/** What an agent of the help desk does to accounts, on real servers. `directory` can do all of it, `warehouse` nothing. */
describeWith(['slapd', 'postgres', 'temporal'], 'an action of the help desk', () => {
  const suite = workerSuite();
  let api: TestApi;
  let key: string;
  let keyId: string;
  const db = () => suite.lockstep.database.db;

  beforeAll(async () => {
    api = await suite.startApi();
    const body = { name: 'desk', scopes: ['help-desk'], groups: ['all'], agent: 'Mary Jones' };
    const created = await api.send('POST', '/v1/keys', { key: await api.newKey(['admin']), body });
    [key, keyId] = [String(created.body.key), String(created.body.id)];
  });

  const act = (person: string, action: string, more: object = {}) =>
    api.send('POST', `/v1/identities/${person}/${action}`, {
      key,
      body: { reason: 'ticket 4711', ...more },
      headers: { prefer: 'wait=20' },
    });
  const results = ({ body }: { body: Readonly<Record<string, unknown>> }) =>
    (body.accounts as { source: string; result: string; reason: string | null }[]).map(
      ({ source, result, reason }) => [source, result, reason],
    );
  /** Gives all accounts of a new person one password. */
  async function addPerson() {
    const { person, accounts } = await suite.addPerson('directory', 'warehouse');
    const word = newPassword();
    await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password: word }));
    return { person, word, directory: accounts[0] as CompanyAccount };
  }
  async function lock(account: CompanyAccount) {
    for (let failures = 0; failures < 5; failures++) await account.logsIn('not the password');
  }
  const idOf = async ({ name }: CompanyAccount) => {
    const row = await db()
      .selectFrom('account')
      .select('id')
      .where('name', '=', name)
      .executeTakeFirstOrThrow();
    return row.id;
  };
  const auditOf = async (account: CompanyAccount) =>
    db()
      .selectFrom('audit')
      .select(['actor', 'action', 'detail'])
      .where('subject', '=', await idOf(account))
      .where('action', 'like', 'account.%.%')
      .orderBy('id')
      .execute();

  test('an unlock reaches every account whose source can do it, and the audit names key, agent and ticket', async () => {
    const { person, word, directory } = await addPerson();
    await lock(directory);
    expect(await directory.logsIn(word)).toBe(false);
    const reply = await act(person, 'unlock');
    expect([reply.status, results(reply)]).toEqual([
      200,
      [
        ['directory', 'done', null],
        ['warehouse', 'failed', 'not_supported'],
      ],
    ]);
    expect(await directory.logsIn(word)).toBe(true);
    const detail = {
      ...{ person, source: 'directory', account: directory.name },
      ...{ agent: 'Mary Jones', ticket: 'ticket 4711' },
    };
    expect(await auditOf(directory)).toEqual([
      { actor: `api-key:${keyId}`, action: 'account.unlock.requested', detail },
      { actor: `api-key:${keyId}`, action: 'account.unlock.done', detail },
    ]);
    const again = await act(person, 'unlock', { source: 'directory' });
    expect(results(again)).toEqual([['directory', 'already', null]]);
  });

  test('an unlock lets the person give the current password again', async () => {
    const { person, directory } = await addPerson();
    const guard = guardOf(db(), await idOf(directory));
    for (let failures = 0; failures < 2; failures++) await guard.open();
    expect(await guard.open()).toBe(false);
    await act(person, 'unlock', { source: 'directory', account: directory.name.toUpperCase() });
    expect(await guard.open()).toBe(true);
  });

  test('a forced change keeps the password, and a later change by Lockstep keeps it in force', async () => {
    const { person, word, directory } = await addPerson();
    const { body } = await act(person, 'force-change', { source: 'directory' });
    expect(body).toMatchObject({ accounts: [{ result: 'done' }] });
    const isForced = async () =>
      (await suite.company.directories.directory.read(entryOf(directory))).pwdReset;
    expect([await isForced(), await directory.logsIn(word)]).toEqual(['TRUE', true]);
    const id = await suite.lockstep.accept({ person, password: newPassword() });
    const { accounts } = await suite.lockstep.readEnd(id);
    expect(accounts.find(({ label }) => label === 'directory')).toMatchObject({
      state: 'applied',
      signInPrevented: 'must_change_password',
    });
    expect(await isForced()).toBe('TRUE');
  });

  test('an account that was created again under its name is not touched', async () => {
    const { person, directory } = await addPerson();
    const { directory: admin } = suite.company.directories;
    await admin.client.del(directory.name);
    await admin.addAccount({}, directory.name);
    await lock(directory);
    const reply = await act(person, 'unlock', { source: 'directory' });
    expect(results(reply)).toEqual([['directory', 'failed', 'account_replaced']]);
    expect((await admin.read(entryOf(directory))).pwdAccountLockedTime).toBeDefined();
  });

  test('nothing is sent to a source that an operator has paused', async () => {
    const { person } = await addPerson();
    await pauseSource(db(), 'directory', 'source_paused', 'test');
    const reply = await act(person, 'unlock', { source: 'directory' });
    expect(results(reply)).toEqual([['directory', 'failed', 'source_paused']]);
  });

  test('an unreachable source is reported as such, and the circuit of the source opens', async () => {
    const { person } = await addPerson();
    await suite.takeAway('directory');
    const reply = await act(person, 'unlock', { source: 'directory' });
    expect(results(reply)).toEqual([['directory', 'failed', 'unreachable']]);
    const { rows } = await sql`select source from source_state where condition = 'down'`.execute(
      db(),
    );
    expect(rows).toEqual([{ source: 'directory' }]);
  });

  test('an action that no worker has carried out within ten minutes is not carried out any more', async () => {
    const { person, word, directory } = await addPerson();
    await lock(directory);
    const { worker } = suite;
    await worker.stop();
    const { body } = await api.send('POST', `/v1/identities/${person}/unlock`, {
      key,
      body: { reason: 'x', source: 'directory' },
    });
    const [{ job = '', result } = {}] = body.accounts as { job: string; result: string | null }[];
    expect(result).toBeNull();
    await sql`update job set created_at = now() - interval '11 minutes' where id = ${job}`.execute(
      db(),
    );
    suite.lockstep.startWorker();
    const read = await api.send('GET', `/v1/jobs/${job}?wait=20`, { key });
    expect(read.body).toMatchObject({ result: { result: 'failed', reason: 'too_old' } });
    expect(await directory.logsIn(word)).toBe(false);
  });
});
