import { chownSync } from 'node:fs';
import path from 'node:path';
import { ConstraintViolationError } from 'ldapts';
import { isRoot, NOBODY } from '../../local/places';
import { audited } from '../support/audited';
import { changeUnderPolicy, checkedPolicy } from '../support/checked-directory';
import { brokenInvariants } from '../support/invariants';
import { addSomebody, holders, newPassword } from '../support/people';
import { type RelayedCompany, startRelayedCompany } from '../support/relayed-company';
import { describeWith } from '../support/servers';
import { suffixes } from '../support/servers/slapd';
import { compiler, compileShim, openFolder } from '../support/shims';
import { until } from '../support/until';

const MINUTES = 60_000;
const suite = compiler === null ? describe.skip : describe;

/** End to end: slapd calls the check module, which hands a candidate over before slapd stores or refuses it. */
suite(`candidates from OpenLDAP${compiler === null ? ' (skipped: no C compiler)' : ''}`, () => {
  describeWith(['slapd', 'postgres', 'temporal'], 'with the check module', () => {
    const socket = path.join(openFolder(), 'relay.sock');
    let relayed: RelayedCompany;
    let module: string;

    beforeAll(async () => {
      module = compileShim('openldap/lockstep_check.c');
      relayed = await startRelayedCompany({
        sources: { directory: { capture: { enabled: true, confirm: true } } },
        relay: { socket, socketMode: '0660' },
      });
      // The group of the user that slapd runs as.
      if (isRoot) chownSync(socket, 0, NOBODY.gid);
    }, 2 * MINUTES);
    afterEach(async () => {
      expect(await brokenInvariants(relayed.lockstep.database.db)).toEqual({});
    });
    afterAll(() => relayed.stop());

    async function newPerson(policy: Readonly<Record<string, string>> = {}) {
      const { company, lockstep } = relayed;
      const { directory } = company.directories;
      const added = await addSomebody(lockstep, company, 'directory', 'apps', 'warehouse');
      const dn = added.accounts[0]?.name ?? '';
      const argument = `closed:${socket}`;
      const strict = await checkedPolicy(directory, suffixes.corp, module, argument, policy);
      const account = { ref: { name: dn, nativeId: null }, password: '', key: '' };
      await directory.replace(account, 'pwdPolicySubentry', strict);
      return {
        ...added,
        changeThere: (next: string) => changeUnderPolicy(suffixes.corp, dn, next),
      };
    }
    const statesOf = async (person: string) =>
      (
        await relayed.lockstep.database.db
          .selectFrom('change')
          .select('state')
          .where('identity_name', '=', person)
          .orderBy('seq')
          .execute()
      ).map(({ state }) => state);
    const unconfirmed = () => audited(relayed.lockstep.database.db, 'capture.unconfirmed');

    test('a candidate that slapd stores is confirmed by a login and reaches every other account', async () => {
      const { person, accounts, changeThere } = await newPerson();
      const next = newPassword();
      await changeThere(next);
      await until(async () => (await statesOf(person))[0] === 'done');
      expect(await holders(accounts, next)).toEqual([true, true, true]);
    });

    test('a candidate that slapd refuses because of its history reaches no other account', async () => {
      const { person, accounts, changeThere } = await newPerson({ pwdInHistory: '3' });
      const [first, second] = [newPassword(), newPassword()];
      await changeThere(first);
      await changeThere(second);
      await until(async () => {
        const states = await statesOf(person);
        return states.length > 0 && states.at(-1) === 'done';
      });
      const before = await unconfirmed();
      await expect(changeThere(first)).rejects.toThrow(ConstraintViolationError);
      await until(async () => (await unconfirmed()) === before + 1);
      expect(await holders(accounts, second)).toEqual([true, true, true]);
    });
  });
});
