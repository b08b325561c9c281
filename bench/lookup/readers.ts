import { accountRulesOf } from '../../connectors/registry';
import { configurationSchema } from '../../model/configuration/document';
import { Secret } from '../../model/passwords/secret';
import { exactRules } from '../../model/people/naming';
import { createApiKey } from '../../store/api-keys';
import { applyConfiguration } from '../../store/configuration/versions';
import type { Database } from '../../store/database';
import { findIdentity, saveIdentity } from '../../store/people/identities';
import { linkMapping } from '../../store/people/mappings';
import { sealCredential } from '../../store/worker/credentials';
import type { MasterKey } from '../../store/worker/keys/key-store';

/** A person with an API key for look-ups. */
export interface Reader {
  readonly name: string;
  readonly key: string;
}

export const APPLICATION = 'wiki';
const SOURCE = 'warehouse';
const BY = 'bench';

/** Adds people with a stored credential. Each of them administers the application, to redeem their own tickets. */
export async function addReaders(
  db: Database,
  master: MasterKey,
  count: number,
): Promise<Reader[]> {
  const names = Array.from({ length: count }, (_, index) => `reader-${index}`);
  const document = configurationSchema.parse({
    version: 1,
    sources: { [SOURCE]: { kind: 'ldap', settings: {} } },
    applications: {
      [APPLICATION]: {
        source: SOURCE,
        tickets: { allowed: true },
        administrators: { identities: names },
      },
    },
  });
  await applyConfiguration(db, document, 0, BY, accountRulesOf);
  const readers: Reader[] = [];
  for (const name of names) readers.push(await addReader(db, master, name));
  return readers;
}

async function addReader(db: Database, master: MasterKey, name: string): Promise<Reader> {
  const link = { source: SOURCE, name, nativeId: null, primary: true };
  await saveIdentity(db, { name, attributes: {} }, [link], 'operator', BY, () => exactRules);
  const identity = await findIdentity(db, { name });
  const identityId = identity?.id ?? '';
  const accountId = identity?.accounts[0]?.id ?? '';
  await linkMapping(db, { identityId, application: APPLICATION, accountId, enabled: true }, BY);
  const { id } = await db
    .selectFrom('mapping')
    .select('id')
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow();
  const password = Secret.fromText('a password of the bench');
  await db
    .updateTable('mapping')
    .set({
      sealed: sealCredential(master, id, 1, password),
      master_key_id: master.id,
      applied_seq: 1,
      state: 'in_sync',
    })
    .where('id', '=', id)
    .execute();
  const wanted = { name, scopes: ['lookup'] as const, groups: null, expiresAt: null, identityId };
  return { name, key: (await createApiKey(db, wanted, BY)).key };
}
