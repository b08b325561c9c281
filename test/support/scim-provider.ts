import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { destroyPasswords, unseal } from '../../sealing/passwords';
import { applyConfiguration, currentConfiguration } from '../../store/configuration/versions';
import { readChangeAtWork } from '../../store/worker/outcomes';
import { type Reply, startTestApi, type TestApi } from './api';
import { addPerson, testConfiguration } from './played-worker';

export const PASSWORD = 'correct horse battery staple';
export const CORE = 'urn:ietf:params:scim:schemas:core:2.0';
const MESSAGES = 'urn:ietf:params:scim:api:messages:2.0';

type Scim = Partial<Record<'pushesRealPassword' | 'createPassword' | 'createLinks', boolean>>;

/** The test configuration, with `warehouse` as the source that an identity provider pushes to. */
export const pushedTo = (scim: Scim | null, more: object = {}) =>
  configurationSchema.parse({
    ...testConfiguration,
    sources: {
      ...testConfiguration.sources,
      warehouse: {
        kind: 'ldap',
        settings: {},
        capture: { enabled: true, verifyCurrent: false, ...(scim === null ? {} : { scim }) },
        ...more,
      },
    },
  });

/** An operator has attested that the provider pushes real passwords. */
export const attested: Scim = { pushesRealPassword: true };

/** The body of a SCIM error (RFC 7644 §3.12). */
export const scimFailure = (status: number, scimType?: string) => ({
  schemas: [`${MESSAGES}:Error`],
  status: String(status),
  ...(scimType === undefined ? {} : { scimType }),
  detail: expect.any(String),
});

export type ScimProvider = Awaited<ReturnType<typeof startScimProvider>>;

/** Starts an API, and plays an identity provider that pushes the users of `warehouse` to it. */
export async function startScimProvider() {
  const api: TestApi = await startTestApi();
  let people = 0;
  const rows = async (query: string, values: unknown[] = []) =>
    (await api.database.pool.query(query, values)).rows;
  async function configure(configuration: ReturnType<typeof pushedTo>): Promise<void> {
    const { db } = api.database;
    const { version } = await currentConfiguration(db);
    await applyConfiguration(db, configuration, version, 'test', accountRulesOf);
  }
  await configure(pushedTo(attested));
  const key = await api.newKey(['capture'], ['one-password']);

  const send = (
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
    otherKey = key,
  ): Promise<Reply> =>
    api.send(method, `/scim/v2/warehouse${path}`, {
      key: otherKey,
      ...(body === undefined ? {} : { body }),
      headers: {
        accept: 'application/scim+json',
        ...(body === undefined ? {} : { 'content-type': 'application/scim+json; charset=utf-8' }),
        ...headers,
      },
    });
  const changesOf = (name: string) =>
    rows('select * from change where identity_name = $1 order by seq', [name]);

  return {
    api,
    key,
    rows,
    configure,
    send,
    changesOf,
    /** A new person who is linked to an account in `warehouse` of the same name. */
    async person(): Promise<string> {
      const name = `Person-${++people}@example.com`;
      await addPerson(api.database.db, name);
      return name;
    },
    /** The id of a user that the provider has just created. */
    async pushed(userName: string, more: object = {}): Promise<string> {
      const { status, body } = await send('POST', '/Users', {
        schemas: [`${CORE}:User`],
        userName,
        ...more,
      });
      expect(status).toBe(201);
      return String(body.id);
    },
    patch: (id: string, ...operations: object[]) =>
      send('PATCH', `/Users/${id}`, {
        schemas: [`${MESSAGES}:PatchOp`],
        Operations: operations,
      }),
    lastAudit: async () =>
      (await rows('select action, subject, detail from audit order by id desc limit 1'))[0],
    /** The new and the current password that are sealed for the first change of a person. */
    async sealedFor(name: string) {
      const [row] = await changesOf(name);
      const secret = (await readChangeAtWork(api.database.db, row.id))?.sealed ?? null;
      const epochKey = await api.keys.epochKey(secret?.epochId ?? '');
      if (secret === null || epochKey === null) throw new Error('nothing is sealed');
      const change = { changeId: row.id, identityId: row.identity_id, seq: row.seq };
      const opened = await unseal(secret.jwe, epochKey, { ...change, expiresAt: row.expires_at });
      const texts = [opened.next.text(), opened.current];
      destroyPasswords(opened);
      return texts;
    },
    /** Fails if a password is in the log or readable in the database. */
    async expectNoPassword(): Promise<void> {
      for (const table of ['audit', 'change', 'scim_user'])
        expect(JSON.stringify(await rows(`select * from ${table}`))).not.toContain(PASSWORD);
      expect(api.printed()).not.toContain(PASSWORD);
    },
  };
}
