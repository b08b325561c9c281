import { sql } from 'kysely';
import { log } from '../../log';
import {
  type Configuration,
  configurationSchema,
  emptyConfiguration,
} from '../../model/configuration/document';
import { writeAudit } from '../audit';
import type { Database } from '../database';
import { channels } from '../notifications';
import { reopenSource } from '../sources/state';

export interface AppliedConfiguration {
  /** 0 before anything was applied; grows by one each time. Older versions are kept. */
  readonly version: number;
  readonly configuration: Configuration;
}

export async function currentConfiguration(db: Database): Promise<AppliedConfiguration> {
  const row = await db
    .selectFrom('configuration')
    .select(['version', 'document'])
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined
    ? { version: 0, configuration: emptyConfiguration }
    : { version: row.version, configuration: asOfNow(row.version, row.document) };
}

/** An older release stored it, perhaps: fields that have come since get their defaults. */
function asOfNow(version: number, document: Configuration): Configuration {
  const { success, data } = configurationSchema.safeParse(document);
  if (success) return data;
  // Rules have become stricter. Passwords go on being changed as before, until somebody applies one that is right.
  log.warn('the configuration in force is not valid any more; "lockstep plan" tells why', {
    version,
  });
  return document;
}

/**
 * @param basedOn the version that the caller planned against
 * @returns the new version, or null when somebody else applied one in between
 */
export async function applyConfiguration(
  db: Database,
  configuration: Configuration,
  basedOn: number,
  by: string,
): Promise<number | null> {
  return db.transaction().execute(async (trx) => {
    const { rows } = await sql`
      insert into configuration (version, document, applied_by)
      select ${basedOn + 1}::int, ${JSON.stringify(configuration)}::jsonb, ${by}
      where ${basedOn}::int = (select coalesce(max(version), 0) from configuration)
      on conflict (version) do nothing
      returning version`.execute(trx);
    if (rows.length === 0) return null;
    await writeAudit(trx, {
      actor: by,
      action: 'configuration.applied',
      detail: { version: basedOn + 1 },
    });
    for (const source of await readAppliedAnew(trx, basedOn))
      await reopenSource(trx, source, 'by_worker', by);
    await sql`select pg_notify(${channels.configuration}, ${String(basedOn + 1)})`.execute(trx);
    return basedOn + 1;
  });
}

/** Sources in trouble that differ from what was in force before: they may be right now, or gone. */
async function readAppliedAnew(db: Database, before: number): Promise<string[]> {
  const { rows } = await sql<{ source: string }>`
    select s.source from source_state s join configuration new on new.version = ${before + 1}
    left join configuration old on old.version = ${before}
    where new.document -> 'sources' -> s.source is distinct from old.document -> 'sources' -> s.source`.execute(
    db,
  );
  return rows.map(({ source }) => source);
}
