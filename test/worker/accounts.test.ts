import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import { accountRulesOf } from '../../connectors/registry';
import { currentConfiguration } from '../../store/configuration/versions';
import { findIdentity, saveIdentity } from '../../store/people/identities';
import { postgresAdmin } from '../connectors/sql-admin';
import type { CompanyAccount } from '../support/company';
import { newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith, server } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import { companyDocument, entryOf, statesOf, workerSuite } from '../support/worker-suite';

/** Which account of a source a link means, after renames, reused names, reused ids and accounts that were created again. */
describeWith(['slapd', 'postgres', 'temporal'], 'an account belongs to one person', () => {
  const suite = workerSuite();
  const apps = () => suite.company.directories.apps;

  let admin: Client;
  beforeAll(async () => {
    admin = await postgresAdmin();
  });
  afterAll(() => admin.end());
  afterEach(() => suite.lockstep.configure(companyDocument(suite.company)));

  const changed = async (person: string, password = newPassword()) => {
    const id = await suite.lockstep.accept({ person, password });
    return { password, change: await suite.lockstep.readEnd(id) };
  };
  const outcomeIn = (
    source: string,
    { change }: Awaited<ReturnType<typeof changed>>,
  ): [string | undefined, string | null | undefined] => {
    const outcome = change.accounts.find((account) => account.source === source);
    return [outcome?.state, outcome?.reason];
  };
  /** The links of a person in a source. */
  const linksOf = async (person: string, source: string) =>
    (await findIdentity(suite.lockstep.database.db, { name: person }))?.accounts.filter(
      (account) => account.source === source,
    );
  /** Links as an operator does. */
  const link = async (person: string, source: string, name: string) => {
    const { db } = suite.lockstep.database;
    const { configuration } = await currentConfiguration(db);
    const account = { source, name, nativeId: null, primary: false };
    return saveIdentity(
      db,
      { name: person, attributes: {} },
      [account],
      'operator',
      'test',
      (one) => accountRulesOf(configuration.sources[one]),
    );
  };
  const renamed = ({ name }: Pick<CompanyAccount, 'name'>): string =>
    name.replace('uid=', 'uid=renamed-');
  async function rename(account: CompanyAccount): Promise<CompanyAccount> {
    const to = renamed(account);
    await apps().client.modifyDN(account.name, to);
    return { ...account, name: to };
  }
  /** Adds another entry under the name of an account. */
  async function addAgain(account: CompanyAccount): Promise<CompanyAccount> {
    const fresh = await suite.company.addAccount('apps');
    await apps().client.modifyDN(fresh.name, account.name);
    const { ref } = entryOf(account);
    return {
      ...fresh,
      name: account.name,
      logsIn: (password) => apps().logsIn({ ...entryOf(account), ref }, password),
    };
  }
  const logsIn = ({ name }: Pick<CompanyAccount, 'name'>, password: string) =>
    apps().logsIn(entryOf({ name }), password);

  test(
    keeps(
      'an account that was linked by its name is still found after a rename, and the account that took its name is not written',
      6,
    ),
    async () => {
      const { person, accounts } = await suite.addPerson('directory', 'apps');
      const [, account] = accounts;
      if (account === undefined) throw new Error('no account');
      await changed(person);
      expect(await linksOf(person, 'apps')).toMatchObject([
        { nativeId: expect.stringMatching(/^[0-9a-f-]{36}$/), name: account.name },
      ]);
      const moved = await rename(account);
      const other = await addAgain(account);
      const second = await changed(person);
      expect(statesOf(second.change)).toEqual({ directory: 'applied', apps: 'applied' });
      expect(await logsIn(moved, second.password)).toBe(true);
      expect(await logsIn(other, second.password)).toBe(false);
      expect(await linksOf(person, 'apps')).toMatchObject([{ name: moved.name, problem: null }]);
    },
  );

  test(
    keeps('an account that is linked to another person under its former name is not written', 6),
    async () => {
      const owner = await suite.addPerson('directory', 'apps');
      const [, account] = owner.accounts;
      if (account === undefined) throw new Error('no account');
      const first = await changed(owner.person);
      const moved = await rename(account);
      const second = await suite.addPerson('directory');
      await link(second.person, 'apps', moved.name);
      const result = await changed(second.person);
      expect(outcomeIn('apps', result)).toEqual(['rejected', 'linked_twice']);
      expect(await logsIn(moved, result.password)).toBe(false);
      expect(await logsIn(moved, first.password)).toBe(true);
      const again = await changed(owner.person);
      expect(outcomeIn('apps', again)).toEqual(['applied', null]);
      expect(await logsIn(moved, again.password)).toBe(true);
    },
  );

  test(
    keeps(
      'an account that was created again under its name is not written until an operator links it again',
      6,
    ),
    async () => {
      const { person, accounts } = await suite.addPerson('directory', 'apps');
      const [, account] = accounts;
      if (account === undefined) throw new Error('no account');
      await changed(person);
      await apps().client.del(account.name);
      const other = await addAgain(account);
      const result = await changed(person);
      expect(outcomeIn('apps', result)).toEqual(['rejected', 'account_replaced']);
      expect(await logsIn(other, result.password)).toBe(false);
      expect(await linksOf(person, 'apps')).toMatchObject([{ problem: 'account_replaced' }]);
      expect(await link(person, 'apps', account.name)).toEqual([]);
      const again = await changed(person);
      expect(outcomeIn('apps', again)).toEqual(['applied', null]);
      expect(await logsIn(other, again.password)).toBe(true);
      expect(await linksOf(person, 'apps')).toMatchObject([{ problem: null }]);
    },
  );

  test(
    keeps('an id that PostgreSQL gives to another role leads no password to that role', 6),
    async () => {
      const { person, accounts } = await suite.addPerson('directory', 'warehouse');
      const { accounts: others } = await suite.addPerson('directory', 'warehouse');
      const [[, mine], [, other]] = [accounts, others];
      if (mine === undefined || other === undefined) throw new Error('no account');
      await changed(person);
      const { rows } = await admin.query('select oid::text from pg_roles where rolname = $1', [
        other.name,
      ]);
      // After a restore, the id of one role may be that of another one.
      await suite.lockstep.database.db
        .updateTable('account')
        .set({ native_id: rows[0].oid })
        .where('name', '=', mine.name)
        .execute();
      const reused = await changed(person);
      expect(outcomeIn('warehouse', reused)).toEqual(['rejected', 'account_renamed']);
      expect(await other.logsIn(reused.password)).toBe(false);
      expect(await mine.logsIn(reused.password)).toBe(false);
      expect(await link(person, 'warehouse', mine.name)).toEqual([]);
      const again = await changed(person);
      expect(outcomeIn('warehouse', again)).toEqual(['applied', null]);
      expect([await mine.logsIn(again.password), await other.logsIn(again.password)]).toEqual([
        true,
        false,
      ]);
    },
  );

  test(
    keeps('the service account is written neither by an old link nor by a correlation rule', 6),
    async () => {
      const dn = `cn=lockstep,ou=services,${suffixes.free}`;
      const { person } = await suite.addPerson('directory');
      const identity = await findIdentity(suite.lockstep.database.db, { name: person });
      expect(await link(person, 'apps', dn)).toMatchObject([{ why: 'service_account' }]);
      await suite.lockstep.database.db
        .insertInto('account')
        .values({
          ...{ id: `acc_${randomBytes(6).toString('hex')}`, identity_id: identity?.id ?? '' },
          ...{ source: 'apps', name: dn.toUpperCase(), name_key: dn, linked_by: 'operator' },
        })
        .execute();
      const byLink = await changed(person);
      expect(outcomeIn('apps', byLink)).toEqual(['rejected', 'service_account']);

      const { user } = (suite.company.sources().warehouse as { settings: { user: string } })
        .settings;
      await suite.lockstep.configure(
        companyDocument(suite.company, { warehouse: { correlate: [{ role: 'login' }] } }),
      );
      const directory = await suite.company.addAccount('directory');
      const thief = await suite.lockstep.addPerson([directory], { login: user });
      const byRule = await changed(thief);
      // The connector does not even find its own role.
      expect(outcomeIn('warehouse', byRule)).toEqual(['not_applicable', 'no_account_found']);
      const word = server('slapd').lockstep ?? '';
      expect(await apps().logsIn(entryOf({ name: dn }), word)).toBe(true);
      const next = await suite.addPerson('directory', 'warehouse');
      expect(outcomeIn('warehouse', await changed(next.person))).toEqual(['applied', null]);
    },
  );

  test(keeps('an account that matches two people by a rule is linked to neither', 6), async () => {
    const [first, second, shared] = await Promise.all([
      suite.company.addAccount('directory'),
      suite.company.addAccount('directory'),
      suite.company.addAccount('apps'),
    ]);
    const mail = `${randomBytes(5).toString('hex')}@shared.test`;
    await apps().replace(entryOf(shared), 'mail', `First.${mail}`, mail.toUpperCase());
    await suite.lockstep.configure(
      companyDocument(suite.company, { apps: { correlate: [{ mail: 'mail' }] } }),
    );
    const one = await suite.lockstep.addPerson([first], { mail });
    const other = await suite.lockstep.addPerson([second], { mail: mail.toUpperCase() });
    expect(outcomeIn('apps', await changed(one))).toEqual(['rejected', 'several_people']);
    await suite.lockstep.database.db.deleteFrom('identity').where('name', '=', other).execute();
    expect(outcomeIn('apps', await changed(one))).toEqual(['applied', null]);
  });
});
