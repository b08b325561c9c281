import { readFileSync } from 'node:fs';
import { Attribute, Change, Client as LdapClient } from 'ldapts';
import { holds } from '../../connectors/encodings';
import type { Secret } from '../../model/passwords/secret';
import { clientOf } from '../postgres';
import { ssha } from '../slapd';
import { APPS_SUFFIX, appsDn, CORP_SUFFIX, corpDn, HERO, HERO_SECOND_ACCOUNT } from './company';
import { resetDatabasePasswords, withClient } from './database';
import { adminDn, MOST_REMEMBERED, randomPassword } from './directories';
import type { DemoSource, DemoSystems } from './systems';

/**
 * An account of the person whose password the demo changes, and a login to it without Lockstep, as any application would
 * do it.
 */
export interface DemoAccount {
  readonly source: DemoSource;
  readonly name: string;
  login(password: Secret): Promise<boolean>;
}

export function heroAccounts(systems: DemoSystems): DemoAccount[] {
  const directory = (source: DemoSource, dn: string): DemoAccount => ({
    source,
    name: dn,
    login: (password) => bind(systems, dn, password),
  });
  const accounts: DemoAccount[] = [
    directory('corp-directory', corpDn(HERO)),
    directory('apps-directory', appsDn(HERO)),
    directory('apps-directory', appsDn(HERO_SECOND_ACCOUNT)),
    { source: 'warehouse', name: HERO, login: (password) => connect(systems, password) },
    { source: 'crm', name: crmLogin, login: (password) => checkHash(systems, password) },
  ];
  const { domain } = systems;
  if (domain === null) return accounts;
  const inDomain = domain.account(HERO);
  return [...accounts, { source: 'ad', ...inDomain }];
}

const crmLogin = `${HERO}@harborlane.example`;

/** Does what an administrator of each system would do, so that the demo begins with a known old password. */
export async function giveOldPassword(systems: DemoSystems, password: Secret): Promise<void> {
  const directories = [
    [CORP_SUFFIX, corpDn(HERO)],
    [APPS_SUFFIX, appsDn(HERO)],
    [APPS_SUFFIX, appsDn(HERO_SECOND_ACCOUNT)],
  ] as const;
  await Promise.all([
    resetDatabasePasswords(systems.databaseUrl, { role: HERO, login: crmLogin }, password),
    ...directories.map(([suffix, dn]) =>
      withLdap(systems, async (client) => {
        await client.bind(adminDn(suffix), systems.directoryAdmin.text());
        for (const word of [...fillers(), password]) {
          const modification = new Attribute({ type: 'userPassword', values: [ssha(word)] });
          await client.modify(dn, new Change({ operation: 'replace', modification }));
        }
      }),
    ),
    systems.domain?.resetPassword(HERO, password),
  ]);
}

/** Fills the history of the directory, so that a demo may set the same new password again. */
const fillers = (): Secret[] => Array.from({ length: MOST_REMEMBERED }, randomPassword);

async function bind(systems: DemoSystems, dn: string, password: Secret): Promise<boolean> {
  return withLdap(systems, (client) =>
    client.bind(dn, password.text()).then(
      () => true,
      (error: { code?: number }) => {
        if (error.code === INVALID_CREDENTIALS) return false;
        throw error;
      },
    ),
  );
}

const INVALID_CREDENTIALS = 49;

async function withLdap<T>(
  { slapd }: DemoSystems,
  work: (client: LdapClient) => Promise<T>,
): Promise<T> {
  const client = new LdapClient({
    url: slapd.url,
    tlsOptions: { ca: [readFileSync(slapd.caFile)], servername: 'localhost' },
    timeout: 5_000,
    connectTimeout: 5_000,
  });
  try {
    return await work(client);
  } finally {
    await client.unbind();
  }
}

async function connect({ postgres }: DemoSystems, password: Secret): Promise<boolean> {
  const client = clientOf({
    host: '127.0.0.1',
    port: postgres.port,
    user: HERO,
    password: password.text(),
    database: 'postgres',
    ssl: { ca: readFileSync(postgres.caFile), servername: 'localhost' },
  });
  try {
    await client.connect();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === INVALID_PASSWORD) return false;
    throw error;
  } finally {
    await client.end().catch(() => {});
  }
}

const INVALID_PASSWORD = '28P01';

async function checkHash({ databaseUrl }: DemoSystems, password: Secret): Promise<boolean> {
  const stored = await withClient(databaseUrl, (client) =>
    client.query<{ hash: string }>('select password_hash as hash from crm_user where login = $1', [
      crmLogin,
    ]),
  );
  return (await holds(stored.rows[0]?.hash ?? '', password)) === true;
}
