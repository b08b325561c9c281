import { sql } from 'kysely';
import type { Route } from '../../api/http/route';
import { routes } from '../../api/routes';
import { accountRulesOf } from '../../connectors/registry';
import { hasRight } from '../../model/api/scopes';
import { configurationSchema } from '../../model/configuration/document';
import { applyConfiguration } from '../../store/configuration/versions';
import { pauseSource } from '../../store/sources/state';
import { startTestApi, type TestApi } from '../support/api';
import { describeWith } from '../support/servers';

const BOUND = ['read', 'help-desk', 'trigger', 'change-own'] as const;
const adapter = { enabled: true, syncToAdapter: true };
const ldap = { kind: 'ldap', settings: {} };
const pull = { kind: 'pull', settings: {}, adapter };

/** Two groups. All that a key of the first one must not see has "hidden" in its name. */
const configuration = configurationSchema.parse({
  version: 1,
  sources: {
    directory: ldap,
    mainframe: pull,
    'hidden-directory': { ...ldap, capture: { enabled: true } },
    'hidden-mainframe': pull,
    'hidden-island': { ...ldap, isolated: true },
  },
  policies: { everyone: {} },
  groups: {
    seen: { policy: 'everyone', authSource: 'directory', sources: ['directory', 'mainframe'] },
    hidden: {
      ...{ policy: 'everyone', authSource: 'hidden-directory' },
      sources: ['hidden-directory', 'hidden-mainframe', 'hidden-island'],
    },
  },
  applications: { 'hidden-reports': { source: 'hidden-directory' } },
});

/** The parameters of a path, as a caller would name what is hidden. */
const hiddenParameters: Readonly<Record<string, readonly string[]>> = {
  name: ['hidden-person', 'hidden-directory', 'hidden-mainframe', 'hidden-island'],
  source: ['hidden-directory', 'hidden-mainframe', 'hidden-island'],
  id: ['chg_hidden', 'ntc_hidden', 'job_hidden'],
};

const reads = (route: Route): boolean => route.method === 'get' && hasRight(BOUND, route.right);
const paths = routes.filter(reads).map(({ path }) => path);
const parameterOf = (path: string): string | undefined => /\{(\w+)\}/.exec(path)?.[1];

/** Every route that a key of some groups can read, those of adapters, presence and master keys among them. */
describeWith(['postgres'], 'what a key that is bound to groups reads', () => {
  let api: TestApi;
  let key: string;

  beforeAll(async () => {
    api = await startTestApi();
    const { db } = api.database;
    await applyConfiguration(db, configuration, 0, 'test', accountRulesOf);
    key = await api.newKey([...BOUND], ['seen']);
    await sql`insert into identity (id, name, last_seq) values ('idn_1', 'ann', 1), ('idn_2', 'hidden-person', 1)`.execute(
      db,
    );
    await sql`insert into account (id, identity_id, source, name, name_key, linked_by)
              values ('acc_1', 'idn_1', 'directory', 'ann', 'ann', 'test'),
                     ('acc_2', 'idn_2', 'hidden-directory', 'hidden-account', 'hidden-account', 'test')`.execute(
      db,
    );
    await sql`insert into mapping (id, application, identity_id, account_id)
              values ('map_hidden', 'hidden-reports', 'idn_2', 'acc_2')`.execute(db);
    await sql`insert into change (id, identity_id, identity_name, seq, groups, requested_by, requested_by_name,
                                  configuration_version, expires_at)
              values ('chg_seen', 'idn_1', 'ann', 1, '{seen}', 'k', 'k', 1, now() + interval '1 day'),
                     ('chg_hidden', 'idn_2', 'hidden-person', 1, '{hidden}', 'k', 'k', 1, now() + interval '1 day')`.execute(
      db,
    );
    // A message of a change in the hidden group, as if the mainframe had been in it when the change began.
    await sql`insert into adapter_message (id, source, change_id, label, account_id, seq, key_id, most_deliveries,
                                           lease_seconds, expires_at)
              values ('msg_seen', 'mainframe', 'chg_seen', 'mainframe', 'acc_1', 1, 'k', 1, 60, now() + interval '1 day'),
                     ('msg_hidden', 'mainframe', 'chg_hidden', 'mainframe', 'acc_2', 1, 'k', 1, 60, now() + interval '1 day')`.execute(
      db,
    );
    await sql`insert into adapter (source, key_id, public_key, own_key, online_since)
              values ('mainframe', 'k', '{}', true, now()), ('hidden-mainframe', 'k', '{}', true, now())`.execute(
      db,
    );
    await sql`insert into relay (id, source, api_key_id, public_key)
              select 'rly_hidden', 'hidden-directory', id, '{}' from api_key limit 1`.execute(db);
    await sql`insert into notice (id, kind, identity_id, change_id, state)
              values ('ntc_hidden', 'password_changed', 'idn_2', 'chg_hidden', 'sent')`.execute(db);
    await sql`insert into job (id, kind, source, parameters, requested_by)
              values ('job_hidden', 'check', 'hidden-directory', '{}', 'another')`.execute(db);
    await pauseSource(db, 'hidden-directory', 'source_paused', 'test');
  });
  afterAll(() => api.stop());

  const lists = paths.filter((path) => parameterOf(path) === undefined);
  const single = paths.filter((path) => parameterOf(path) !== undefined);

  test.each(lists)('GET %s shows nothing of other groups', async (path) => {
    const { status, text } = await api.send('GET', path, { key });
    expect(status).toBeLessThan(500);
    expect(text).not.toContain('hidden');
  });

  test.each(single)(
    'GET %s answers for something of another group as for nothing',
    async (path) => {
      const parameter = parameterOf(path) ?? '';
      for (const value of hiddenParameters[parameter] ?? ['hidden']) {
        const answer = async (named: string) => {
          const { status, body } = await api.send('GET', path.replace(`{${parameter}}`, named), {
            key,
          });
          return [status, body.code];
        };
        expect(await answer(value)).toEqual(await answer('unknown'));
      }
    },
  );

  test('the messages of an adapter are those of changes in the groups of the key', async () => {
    const messages = async (by?: string) => {
      const { body } = await api.send('GET', '/v1/adapters/mainframe/messages', { key: by });
      return (body.messages as { change: string }[]).map(({ change }) => change).sort();
    };
    expect(await messages(key)).toEqual(['chg_seen']);
    expect(await messages()).toEqual(['chg_hidden', 'chg_seen']);
  });

  test.each([
    ...['/v1/changes', '/v1/identities', '/v1/mappings', '/v1/sources', '/v1/relays'],
    ...['/v1/adapters', '/v1/notices', '/v1/presence', '/v1/captures'],
  ])('GET %s shows an unbound key what the tests above have hidden', async (path) => {
    expect((await api.send('GET', path)).text).toContain('hidden');
  });
});
