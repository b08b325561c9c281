import type { ChangeView } from '../../store/changes/read';
import {
  activeDirectorySubject,
  type DomainAdmin,
  domainAdmin,
} from '../connectors/active-directory-subject';
import { newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { workerSuite } from '../support/worker-suite';

const NORMAL_ACCOUNT = 0x200;
const SMARTCARD_REQUIRED = 0x40000;

describeWith(
  ['slapd', 'postgres', 'samba', 'temporal'],
  'an account without a password of its own',
  () => {
    const suite = workerSuite();
    let domain: DomainAdmin;
    let configure: (authSource: string) => Promise<void>;

    beforeAll(async () => {
      domain = await domainAdmin();
      const subject = activeDirectorySubject(async () => domain);
      const settings = { ...subject.settings(subject.server), bindPassword: '${env:TEST_DOMAIN}' };
      configure = (authSource) =>
        suite.lockstep.configure({
          version: 1,
          sources: { ...suite.company.sources(), domain: { kind: 'active-directory', settings } },
          policies: { everyone: {} },
          groups: { all: { policy: 'everyone', sources: ['directory', 'domain'], authSource } },
        });
    });
    afterAll(() => domain.close());

    /** Adds a person who signs in to the domain with a smart card only. */
    async function addPersonWithCard() {
      const account = await suite.company.addAccount('directory');
      const card = await domain.addAccount();
      await domain.replace(card, 'userAccountControl', String(NORMAL_ACCOUNT | SMARTCARD_REQUIRED));
      const inDomain = { source: 'domain', name: card.ref.name };
      return { person: await suite.lockstep.addPerson([account, inDomain]), account, card };
    }
    const outcomes = ({ accounts }: ChangeView) =>
      accounts.map(({ label, state, reason }) => [label, state, reason]);

    test(
      keeps('an account without a password of its own is left out and the change is done', 28),
      async () => {
        await configure('directory');
        const { person, account, card } = await addPersonWithCard();
        const before = await domain.read(card);
        const next = newPassword();
        const change = await suite.lockstep.readEnd(
          await suite.lockstep.accept({ person, password: next }),
        );
        expect(change.state).toBe('done');
        expect(outcomes(change)).toEqual([
          ['directory', 'applied', null],
          ['domain', 'not_applicable', 'no_own_password'],
        ]);
        expect(await account.logsIn(next)).toBe(true);
        expect(await domain.read(card)).toEqual(before);
      },
    );

    test('a change is refused when the auth account has no password of its own', async () => {
      await configure('domain');
      const { person, account } = await addPersonWithCard();
      const next = newPassword();
      const id = await suite.lockstep.accept({ person, password: next });
      const change = await suite.lockstep.readEnd(id);
      expect(change).toMatchObject({ state: 'refused', reason: 'no_own_password' });
      expect(outcomes(change)).toEqual([
        ['domain', 'not_applicable', 'no_own_password'],
        ['directory', 'not_attempted', 'auth_unchanged'],
      ]);
      expect(await account.logsIn(next)).toBe(false);
    });
  },
);
