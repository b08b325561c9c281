import { randomBytes, randomUUID } from 'node:crypto';
import { caller } from '../../bench/call';
import { clientOf } from '../../local/postgres';
import type { Company } from './company';
import { type Found, must } from './report';

const ROLE = 'lockstep_lookup';
const APPLICATION = 'wiki';

/**
 * Creates the role of the lookup service, as docs/lookup.md describes it.
 * @param databaseUrl of the owner of the database, which api and worker have migrated
 * @returns the URL for the service
 */
export async function lookupRole(databaseUrl: string): Promise<string> {
  const url = new URL(databaseUrl);
  url.username = ROLE;
  url.password = randomBytes(24).toString('hex');
  const client = clientOf({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(`create role ${ROLE} login password '${url.password}'`);
    await client.query('select lookup.grant_to($1)', [ROLE]);
  } finally {
    await client.end();
  }
  return url.href;
}

/**
 * Maps an application, changes the password of a person, and looks it up with a key of that person.
 * @throws Error if the service returns anything but the new password
 */
export async function lookUpCredential(
  { people }: Company,
  api: { readonly apiUrl: string; readonly adminKeyFile: string },
  lookupUrl: string,
): Promise<Found> {
  const call = caller(api.apiUrl, api.adminKeyFile);
  const [person] = people;
  if (person === undefined) throw new Error('the company has no people');
  const identity = person.name;
  const { configuration, version } = (await call('GET', 'configuration')) as {
    configuration: object;
    version: number;
  };
  const applications = { [APPLICATION]: { source: 'corp' } };
  await call('POST', 'configuration/apply', {
    document: { ...configuration, applications },
    version,
  });
  const mapping = { application: APPLICATION, account: person.auth.dn };
  await call('PUT', `identities/${identity}`, { mappings: [mapping] });
  const password = randomUUID();
  const wanted = { identity, password };
  const { state } = (await call('POST', 'changes', wanted, { prefer: 'wait=60' })) as {
    state: string;
  };
  must(state === 'done', `the change of the mapped person is ${state}`);
  const bound = { name: 'look-up', scopes: ['lookup'], identity };
  const { key } = (await call('POST', 'keys', bound)) as { key: string };
  const answer = await fetch(`${lookupUrl}/v1/credentials/${APPLICATION}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const found = (await answer.json()) as { password?: string };
  must(
    answer.ok && found.password === password,
    `the lookup service answers ${answer.status} without the new password`,
  );
  return ['the lookup service, with a database role of its own, returns the new password'];
}
