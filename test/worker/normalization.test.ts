import { randomBytes } from 'node:crypto';
import { findIdentity } from '../../store/people/identities';
import { linkMapping } from '../../store/people/mappings';
import { unsealCredential } from '../../store/worker/credentials';
import type { TestApi } from '../support/api';
import { holders } from '../support/people';
import { describeWith } from '../support/servers';
import { companyDocument, workerSuite } from '../support/worker-suite';

/** One visible password, as two keyboards send it. */
function typedTwice(): { decomposed: string; composed: string } {
  const random = randomBytes(6).toString('hex');
  return {
    decomposed: `Cafe\u0301\u00a0Zu\u0308rich-${random}-9`,
    composed: `Caf\u00e9 Z\u00fcrich-${random}-9`,
  };
}

/** docs/decisions/0018: the same visible password, typed on any keyboard, works in every account. */
describeWith(['slapd', 'postgres', 'temporal'], 'the Unicode form of a password', () => {
  const captured = { capture: { enabled: true, verifyCurrent: false } };
  const suite = workerSuite((company) => ({
    ...companyDocument(company, { directory: captured, warehouse: captured }),
    applications: { reports: { source: 'directory' } },
  }));

  let api: TestApi;
  beforeAll(async () => {
    api = await suite.startApi();
  });

  const startChange = async (identity: string, password: string, currentPassword?: string) => {
    const { body } = await api.send('POST', '/v1/changes', {
      key: await api.newKey(['trigger']),
      body: { identity, password, ...(currentPassword && { currentPassword }) },
    });
    return suite.lockstep.readEnd(String(body.id));
  };

  test('a password works in every account, whichever keyboard typed it and types it later', async () => {
    const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse', 'crm');
    const { decomposed, composed } = typedTwice();
    expect(await startChange(person, decomposed)).toMatchObject({ state: 'done' });
    expect(await holders(accounts, composed)).toEqual([true, true, true, true]);
  });

  test('a role of PostgreSQL accepts both forms of a password that Lockstep wrote, because its clients normalize too', async () => {
    const { person, accounts } = await suite.addPerson('directory', 'warehouse');
    const { decomposed, composed } = typedTwice();
    await startChange(person, decomposed);
    const role = accounts.find(({ source }) => source === 'warehouse');
    expect(await role?.logsIn(composed)).toBe(true);
    expect(await role?.logsIn(decomposed)).toBe(true);
  });

  test('the current password is accepted from another keyboard, with one login', async () => {
    const { person } = await suite.addPerson('directory', 'apps');
    const [first, second] = [typedTwice(), typedTwice()];
    expect(await startChange(person, first.composed)).toMatchObject({ state: 'done' });
    expect(await startChange(person, second.composed, first.decomposed)).toMatchObject({
      state: 'done',
    });
  });

  test('the current password of an account that Lockstep has not written is verified as it was typed', async () => {
    const { person, accounts } = await suite.addPerson('directory', 'apps');
    const { decomposed } = typedTwice();
    await accounts[0]?.changeThere(decomposed);
    expect(await startChange(person, typedTwice().composed, decomposed)).toMatchObject({
      state: 'done',
    });
  });

  test('a captured password is normalized for every other account, and its origin and the mapping of the origin keep what was typed there', async () => {
    const { person, accounts } = await suite.addPerson('directory', 'apps', 'warehouse');
    const [origin] = accounts;
    const { db } = suite.lockstep.database;
    const identity = await findIdentity(db, { name: person });
    const account = identity?.accounts.find(({ source }) => source === 'directory');
    const link = { identityId: identity?.id ?? '', accountId: account?.id ?? '' };
    await linkMapping(db, { ...link, application: 'reports', enabled: true }, 'test');
    const { decomposed, composed } = typedTwice();
    await origin?.changeThere(decomposed);
    const { body } = await api.send('POST', '/v1/captures', {
      key: await api.newKey(['capture']),
      body: {
        ...{ source: 'directory', account: origin?.name, password: decomposed },
        capturedAt: new Date().toISOString(),
      },
    });
    expect(await suite.lockstep.readEnd(String(body.id))).toMatchObject({ state: 'done' });
    expect(await holders(accounts, composed)).toEqual([false, true, true]);
    expect(await origin?.logsIn(decomposed)).toBe(true);
    const row = await db
      .selectFrom('mapping')
      .where('account_id', '=', link.accountId)
      .selectAll()
      .executeTakeFirstOrThrow();
    const master = await suite.lockstep.keys.masterKey(row.master_key_id ?? '');
    const sealed = row.sealed ?? Buffer.alloc(0);
    expect(unsealCredential(master, row.id, row.applied_seq, sealed).text()).toBe(decomposed);
  });

  test('the report of a password that Lockstep wrote starts no change, in whichever form the source reports it', async () => {
    const { person, accounts } = await suite.addPerson('directory', 'warehouse');
    const { decomposed, composed } = typedTwice();
    await startChange(person, composed);
    const { body } = await api.send('POST', '/v1/captures', {
      key: await api.newKey(['capture']),
      body: {
        ...{ source: 'warehouse', account: accounts[1]?.name, password: decomposed },
        capturedAt: new Date().toISOString(),
      },
    });
    expect(body).toMatchObject({ result: 'echo' });
  });
});
