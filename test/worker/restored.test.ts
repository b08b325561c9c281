import { Client } from 'pg';
import type { TestApi } from '../support/api';
import { holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith, server } from '../support/servers';
import { companyDocument, workerSuite } from '../support/worker-suite';

/** What Lockstep finds after its database, or a source, was restored from a backup. */
describeWith(['slapd', 'postgres', 'temporal'], 'accounts after a restore from a backup', () => {
  let api: TestApi;
  let key: string;
  let postgres: Client;
  const suite = workerSuite((company) => {
    const settings = companySettings(company.sources().crm);
    return companyDocument(company, {
      crm: { settings: { ...settings, changedAtColumn: 'changed_at' } },
    });
  });
  beforeAll(async () => {
    api = await suite.startApi();
    key = await api.newKey(['admin', 'read']);
    const { database } = companySettings(suite.company.sources().crm);
    const url = new URL(server('postgres').url ?? '');
    url.pathname = `/${database}`;
    postgres = new Client({ connectionString: url.href });
    await postgres.connect();
    await postgres.query(`
      alter table staff add column if not exists changed_at timestamptz;
      create or replace function stamp() returns trigger language plpgsql as $$
        begin if new.hash <> old.hash then new.changed_at := now(); end if; return new; end $$;
      create trigger stamping before update on staff for each row execute function stamp()`);
  });
  afterAll(() => postgres.end());

  async function look(source: string): Promise<void> {
    const headers = { prefer: 'wait=30' };
    const reply = await api.send('POST', `/v1/sources/${source}/look`, { key, headers });
    expect(reply.body).toMatchObject({ state: 'done', result: { failed: null } });
  }
  const staleOf = async (person: string) => {
    const { body } = await api.send('GET', `/v1/stale?identity=${person}`, { key });
    return (body.stale as { source: string; code: string }[])
      .map(({ source, code }) => [source, code])
      .sort();
  };
  const change = async (person: string, password: string) =>
    suite.lockstep.readEnd(await suite.lockstep.accept({ person, password }));

  /** Moves a change, and the times that its accounts hold, into the past. */
  const age = (id: string, hours: number) =>
    suite.lockstep.database.pool.query(
      `with aged as (update change set created_at = created_at - make_interval(hours => $2),
                       ended_at = ended_at - make_interval(hours => $2) where id = $1)
       update outcome set updated_at = updated_at - make_interval(hours => $2) where change_id = $1`,
      [id, hours],
    );
  /** Makes the database forget a change, as the restore of an older backup does. */
  const forget = async (id: string) => {
    const { pool } = suite.lockstep.database;
    const { rows } = await pool.query('select identity_id, seq from change where id = $1', [id]);
    const { identity_id: identity, seq } = rows[0];
    await pool.query('delete from outcome where change_id = $1', [id]);
    await pool.query('delete from change where id = $1', [id]);
    await pool.query('update identity set last_seq = $2 - 1 where id = $1', [identity, seq]);
    await pool.query(
      'update account set applied_seq = $2 - 1, claimed_seq = $2 - 1 where identity_id = $1',
      [identity, seq],
    );
  };

  test(
    keeps(
      'accounts that were changed after the backup of the database are stale once their sources were asked',
      22,
    ),
    async () => {
      const { person, accounts } = await suite.addPerson('directory', 'apps', 'crm');
      const before = await change(person, newPassword());
      await age(before.id, 24);
      const lost = await change(person, newPassword());
      await forget(lost.id);
      expect(await staleOf(person)).toEqual([]);

      for (const source of ['directory', 'apps', 'crm']) await look(source);
      expect(await staleOf(person)).toEqual([
        ['apps', 'changed_there'],
        ['crm', 'changed_there'],
        ['directory', 'changed_there'],
      ]);
      const password = newPassword();
      await change(person, password);
      expect(await holders(accounts, password)).toEqual([true, true, true]);
      for (const source of ['directory', 'apps', 'crm']) await look(source);
      expect(await staleOf(person)).toEqual([]);
    },
  );

  test(
    keeps('a change after the source was asked raises no alarm about the times it reported', 22),
    async () => {
      const { person, accounts } = await suite.addPerson('directory', 'apps', 'crm');
      await change(person, newPassword());
      for (const source of ['directory', 'apps', 'crm']) await look(source);
      // The source was asked a day ago.
      await suite.lockstep.database.pool.query(
        `update account set changed_there_at = changed_there_at - interval '1 day'
         where identity_id = (select id from identity where name = $1)`,
        [person],
      );
      const password = newPassword();
      await change(person, password);
      expect(await holders(accounts, password)).toEqual([true, true, true]);
      expect(await staleOf(person)).toEqual([]);
    },
  );

  test(
    keeps(
      'an account whose source was restored from an older backup is stale once the source was asked',
      22,
    ),
    async () => {
      const { person, accounts } = await suite.addPerson('directory', 'crm');
      await change(person, newPassword());
      await look('crm');
      expect(await staleOf(person)).toEqual([]);

      const old = await suite.company.hashOf(accounts[1] ?? never());
      await postgres.query('alter table staff disable trigger stamping');
      await postgres.query(
        `update staff set hash = $2, changed_at = now() - interval '1 day' where login = $1`,
        [accounts[1]?.name, `${old}x`],
      );
      await postgres.query('alter table staff enable trigger stamping');
      await look('crm');
      expect(await staleOf(person)).toEqual([['crm', 'restored_there']]);

      await change(person, newPassword());
      await look('crm');
      expect(await staleOf(person)).toEqual([]);
    },
  );
});

const companySettings = (source: object | undefined) =>
  (source as { readonly settings: { readonly database: string } }).settings;

const never = (): never => {
  throw new Error('no account');
};
