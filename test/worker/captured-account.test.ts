import { randomBytes } from 'node:crypto';
import { activeDirectory } from '../../connectors/active-directory/kind';
import { activeDirectorySettings } from '../../connectors/active-directory/settings';
import type { Connector } from '../../connectors/contract';
import { freePort } from '../../local/ports';
import { configurationSchema } from '../../model/configuration/document';
import { Secret } from '../../model/passwords/secret';
import { saveIdentity } from '../../store/people/identities';
import { readSourceStates } from '../../store/sources/state';
import { type AskDependencies, NotYet } from '../../worker/captures/ask-source';
import { capturedAccount } from '../../worker/captures/captured-account';
import {
  activeDirectorySubject,
  type DomainAdmin,
  domainAdmin,
} from '../connectors/active-directory-subject';
import type { Settings, TestAccount } from '../connectors/conformance/subject';
import { type TestDatabase, testDatabase } from '../support/database';
import { describeWith } from '../support/servers';

/** A capture that names an account by its `sAMAccountName`, in a domain where accounts are known by distinguished name. */
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

  /** @param more settings of the source; null where it must not be asked */
  function named(told: string, more: Settings | null = {}, capture: Settings = {}) {
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
      random: () => 0,
      configuration: async () => ({ configuration, version: 1 }),
      async connector() {
        if (more === null) throw new Error('it must not be asked');
        const resolve = (reference: string) => Secret.fromText(subject.secrets[reference] ?? '');
        const parsed = activeDirectorySettings.parse(settings);
        const connector = await activeDirectory.open(parsed, { resolve });
        opened.push(connector);
        return connector;
      },
    };
    return capturedAccount(deps, 'domain', told);
  }
  /** Somebody whose account is called so here. */
  async function linked({ name, nativeId }: TestAccount['ref']): Promise<void> {
    const person = { name: `person-${randomBytes(5).toString('hex')}`, attributes: {} };
    const link = { source: 'domain', name, nativeId, primary: true };
    await saveIdentity(database.db, person, [link], 'operator', 'test');
  }

  test('is the one that has the attribute, whatever the case of its letters', async () => {
    const { ref, key } = await admin.addAccount();
    await linked(ref);
    expect(await named(key)).toBe(ref.name);
    expect(await named(key.toUpperCase())).toBe(ref.name);
  });

  test('that was linked without an id is known by its name', async () => {
    const { ref, key } = await admin.addAccount();
    await linked({ ...ref, nativeId: null });
    expect(await named(key)).toBe(ref.name);
  });

  test('that was renamed since it was linked is called as it was', async () => {
    const { ref, key } = await admin.addAccount();
    const before = `CN=before,${ref.name.slice(ref.name.indexOf(',') + 1)}`;
    await linked({ ...ref, name: before });
    expect(await named(key)).toBe(before);
  });

  test('that has the name of one that is gone is nobody’s', async () => {
    const { ref, key } = await admin.addAccount();
    await linked({ ...ref, nativeId: '00000000-0000-0000-0000-000000000000' });
    expect(await named(key)).toBe(key);
  });

  test('that is linked to nobody, or is not there, is nobody’s', async () => {
    const { key } = await admin.addAccount();
    expect(await named(key)).toBe(key);
    expect(await named('nobody-is-called-so')).toBe('nobody-is-called-so');
    expect(await named('*')).toBe('*');
  });

  test('whose name is known is not asked for, nor is one of a source that takes no captures', async () => {
    const { ref } = await admin.addAccount();
    await linked(ref);
    expect(await named(ref.name, null)).toBe(ref.name);
    expect(await named('alice', null, { enabled: false })).toBe('alice');
    expect(await named('alice', null, { accountsBy: undefined })).toBe('alice');
  });

  test('waits while its source is away, and the source is known to be away', async () => {
    const away = { url: `ldaps://127.0.0.1:${await freePort()}` };
    await expect(named('alice', away)).rejects.toThrow(NotYet);
    expect((await readSourceStates(database.db)).get('domain')?.state).toBe('down');
    expect(await named('alice')).toBe('alice');
    expect((await readSourceStates(database.db)).get('domain')).toBeUndefined();
  });

  test('waits where the service account is refused, and the source is paused', async () => {
    const refused = subject.wrong.servicePassword;
    await expect(named('alice', refused)).rejects.toThrow(NotYet);
    await expect(named('alice', null)).rejects.toThrow(NotYet);
  });
});
