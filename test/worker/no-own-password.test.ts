import type { Temporal } from '../../local/temporal';
import type { ChangeView } from '../../store/changes/read';
import {
  activeDirectorySubject,
  type DomainAdmin,
  domainAdmin,
} from '../connectors/active-directory-subject';
import { type Company, startCompany } from '../support/company';
import { startEngine } from '../support/engine';
import { brokenInvariants } from '../support/invariants';
import { type Lockstep, startLockstep } from '../support/lockstep';
import { newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';

const NORMAL_ACCOUNT = 0x200;
const SMARTCARD_REQUIRED = 0x40000;

describeWith(
  ['slapd', 'postgres', 'samba', 'temporal'],
  'an account without a password of its own',
  () => {
    let engine: Temporal;
    let company: Company;
    let domain: DomainAdmin;
    let lockstep: Lockstep;
    let configure: (authSource: string) => Promise<void>;

    beforeAll(async () => {
      [company, engine, domain] = await Promise.all([startCompany(), startEngine(), domainAdmin()]);
      lockstep = await startLockstep(engine);
      const subject = activeDirectorySubject(async () => domain);
      const settings = { ...subject.settings(subject.server), bindPassword: '${env:TEST_DOMAIN}' };
      configure = (authSource) =>
        lockstep.configure({
          version: 1,
          sources: { ...company.sources(), domain: { kind: 'active-directory', settings } },
          policies: { everyone: {} },
          groups: { all: { policy: 'everyone', sources: ['directory', 'domain'], authSource } },
        });
      lockstep.startWorker();
    });
    afterAll(async () => {
      expect(await brokenInvariants(lockstep.database.db)).toEqual({});
      await lockstep.stop();
      await engine.stop();
      await company.stop();
      await domain.close();
    });

    /** One who signs in to the domain with a smart card and nothing else. */
    async function somebodyWithCard() {
      const account = await company.addAccount('directory');
      const card = await domain.addAccount();
      await domain.replace(card, 'userAccountControl', String(NORMAL_ACCOUNT | SMARTCARD_REQUIRED));
      const inDomain = { source: 'domain', name: card.ref.name };
      return { person: await lockstep.addPerson([account, inDomain]), account, card };
    }
    const outcomes = ({ accounts }: ChangeView) =>
      accounts.map(({ label, state, reason }) => [label, state, reason]);

    test(keeps('is left out, and the change is done', 28), async () => {
      await configure('directory');
      const { person, account, card } = await somebodyWithCard();
      const before = await domain.read(card);
      const next = newPassword();
      const change = await lockstep.readEnd(await lockstep.accept({ person, password: next }));
      expect(change.state).toBe('done');
      expect(outcomes(change)).toEqual([
        ['directory', 'applied', null],
        ['domain', 'not_applicable', 'no_own_password'],
      ]);
      expect(await account.logsIn(next)).toBe(true);
      expect(await domain.read(card)).toEqual(before);
    });

    test('is the auth account: nobody is changed, and the change says why', async () => {
      await configure('domain');
      const { person, account } = await somebodyWithCard();
      const next = newPassword();
      const id = await lockstep.accept({ person, password: next });
      const change = await lockstep.readEnd(id);
      expect(change).toMatchObject({ state: 'refused', reason: 'no_own_password' });
      expect(outcomes(change)).toEqual([
        ['domain', 'not_applicable', 'no_own_password'],
        ['directory', 'not_attempted', 'auth_unchanged'],
      ]);
      expect(await account.logsIn(next)).toBe(false);
    });
  },
);
