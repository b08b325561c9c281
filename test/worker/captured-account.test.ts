import { randomBytes } from 'node:crypto';
import { activeDirectory } from '../../connectors/active-directory/kind';
import { activeDirectorySettings } from '../../connectors/active-directory/settings';
import type { Connector } from '../../connectors/contract';
import { accountRulesOf } from '../../connectors/registry';
import { freePort } from '../../local/ports';
import { configurationSchema } from '../../model/configuration/document';
import { Secret } from '../../model/passwords/secret';
import { saveIdentity } from '../../store/people/identities';
import { readSourceStates } from '../../store/sources/state';
import { type AskDependencies, NotYet } from '../../worker/captures/ask-source';
import { capturedAccount, nameInSource } from '../../worker/captures/captured-account';
import {
  activeDirectorySubject,
  type DomainAdmin,
  domainAdmin,
} from '../connectors/active-directory-subject';
import type { Settings, TestAccount } from '../connectors/conformance/subject';
import { type TestDatabase, testDatabase } from '../support/database';
import { describeWith } from '../support/servers';

/** Captures that name an account by its `sAMAccountName`, in a domain whose accounts are linked by distinguished name. */
describeWith(['samba', 'postgres'], 'the account of a capture', () => {
  let database: TestDatabase;
  let admin: DomainAdmin;
  const subject = activeDirectorySubject(async () => admin);
  const opened: Connector[] = [];

  beforeAll(async () => {
    admin = await domainAdmin();
  });
  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(async () => {
    for (const connector of opened.splice(0)) await connector.close();
    await database.close();
  });
  afterAll(() => admin.close());

  /**
   * Looks up the account of a capture.
   * @param more settings of the source; null when the source must not be asked
   */
  function lookUp(
    reported: string,
    more: Settings | null = {},
    capture: Settings = {},
    look = capturedAccount,
  ) {
    const settings = { ...subject.settings(subject.server), ...more };
    const configuration = configurationSchema.parse({
      version: 1,
      sources: {
        domain: {
          ...{ kind: 'active-directory', settings },
          capture: { enabled: true, accountsBy: 'sAMAccountName', ...capture },
        },
      },
    });
    const deps: AskDependencies = {
      db: database.db,
      accountRules: accountRulesOf,
      random: () => 0,
      configuration: async () => ({ configuration, version: 1 }),
      async connector() {
        if (more === null) throw new Error('The source must not be asked');
        const resolve = (reference: string) => Secret.fromText(subject.secrets[reference] ?? '');
        const parsed = activeDirectorySettings.parse(settings);
        const connector = await activeDirectory.open(parsed, { resolve });
        opened.push(connector);
        return connector;
      },
    };
    return look(deps, 'domain', reported);
  }
  /** Links the account to a new person under this name. */
  async function link({ name, nativeId }: TestAccount['ref']): Promise<void> {
    const person = { name: `person-${randomBytes(5).toString('hex')}`, attributes: {} };
    const account = { source: 'domain', name, nativeId, primary: true };
    await saveIdentity(database.db, person, [account], 'operator', 'test', () =>
      accountRulesOf({ kind: 'active-directory', settings: subject.settings(subject.server) }),
    );
  }

  test('a captured account is found by its attribute, whatever the case of the letters', async () => {
    const { ref, key } = await admin.addAccount();
    await link(ref);
    expect(await lookUp(key)).toBe(ref.name);
    expect(await lookUp(key.toUpperCase())).toBe(ref.name);
  });

  test('a captured account that was linked without an id is found by its name', async () => {
    const { ref, key } = await admin.addAccount();
    await link({ ...ref, nativeId: null });
    expect(await lookUp(key)).toBe(ref.name);
  });

  test('a captured account that was renamed keeps the name under which it was linked', async () => {
    const { ref, key } = await admin.addAccount();
    const before = `CN=before,${ref.name.slice(ref.name.indexOf(',') + 1)}`;
    await link({ ...ref, name: before });
    expect(await lookUp(key)).toBe(before);
  });

  test('a captured account that reuses the name of a deleted account is not taken for it', async () => {
    const { ref, key } = await admin.addAccount();
    await link({ ...ref, nativeId: '00000000-0000-0000-0000-000000000000' });
    expect(await lookUp(key)).toBe(key);
  });

  test('a captured account that is not linked, or does not exist, keeps the reported name', async () => {
    const { key } = await admin.addAccount();
    expect(await lookUp(key)).toBe(key);
    expect(await lookUp('no-such-account')).toBe('no-such-account');
    expect(await lookUp('*')).toBe('*');
  });

  test('a captured account that is not linked is kept under its name in the source, if the source has one', async () => {
    const { ref, key } = await admin.addAccount();
    const nameOf = (reported: string, capture: Settings = {}) =>
      lookUp(reported, {}, capture, nameInSource);
    expect(await nameOf(key)).toBe(ref.name);
    expect(await nameOf('no-such-account')).toBe('no-such-account');
    expect(await nameOf(ref.name, { accountsBy: undefined })).toBe(ref.name);
  });

  test('a source is not asked when the reported name is linked or the source does not look accounts up', async () => {
    const { ref } = await admin.addAccount();
    await link(ref);
    expect(await lookUp(ref.name, null)).toBe(ref.name);
    expect(await lookUp('alice', null, { enabled: false })).toBe('alice');
    expect(await lookUp('alice', null, { accountsBy: undefined })).toBe('alice');
  });

  test('a capture waits while its source is unreachable, and the source is marked as down', async () => {
    const away = { url: `ldaps://127.0.0.1:${await freePort()}` };
    await expect(lookUp('alice', away)).rejects.toThrow(NotYet);
    expect((await readSourceStates(database.db)).get('domain')?.state).toBe('down');
    expect(await lookUp('alice')).toBe('alice');
    expect((await readSourceStates(database.db)).get('domain')).toBeUndefined();
  });

  test('a capture waits when its source refuses the service account, and the source is not asked again', async () => {
    const refused = subject.wrong.servicePassword;
    await expect(lookUp('alice', refused)).rejects.toThrow(NotYet);
    await expect(lookUp('alice', null)).rejects.toThrow(NotYet);
  });
});
