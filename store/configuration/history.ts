import { sql } from 'kysely';
import type { AuditActor } from '../../model/audit/record';
import type { Configuration } from '../../model/configuration/document';
import type { Database } from '../database';

/** A configuration that was applied. */
export interface ConfigurationVersion {
  readonly version: number;
  readonly appliedAt: Date;
  readonly appliedBy: AuditActor;
}

const columns = sql`
  version, applied_at as "appliedAt",
  json_build_object('id', applied_by, 'name', k.name, 'agent', k.agent, 'issuer', k.issuer) as "appliedBy"`;
const withKey = sql`configuration left join api_key k on applied_by = 'api-key:' || k.id`;

/** Lists the configurations that were applied, the newest first. The last version of a page is the cursor. */
export async function listVersions(
  db: Database,
  page: { readonly limit: number; readonly cursor: number | null },
): Promise<ConfigurationVersion[]> {
  const { rows } = await sql<ConfigurationVersion>`
    select ${columns} from ${withKey}
    where ${page.cursor}::int is null or version < ${page.cursor}::int
    order by version desc limit ${page.limit}`.execute(db);
  return rows;
}

/** Reads a configuration that was applied, as it was stored; null if there is no such version. */
export async function readVersion(
  db: Database,
  version: number,
): Promise<(ConfigurationVersion & { readonly configuration: Configuration }) | null> {
  const { rows } = await sql<ConfigurationVersion & { readonly configuration: Configuration }>`
    select ${columns}, document as configuration from ${withKey} where version = ${version}`.execute(
    db,
  );
  return rows[0] ?? null;
}
