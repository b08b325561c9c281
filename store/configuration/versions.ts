import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { log } from '../../log';
import {
  type Configuration,
  configurationSchema,
  emptyConfiguration,
} from '../../model/configuration/document';
import type { AccountRulesOf } from '../../model/people/naming';
import { writeAudit } from '../audit';
import type { Database } from '../database';
import { channels } from '../notifications';
import { findSharedNames, renewNameKeys, type SharedName } from '../people/account-names';
import { lockLinks, releaseDuplicates } from '../people/links';
import { reopenSource } from '../sources/state';

export interface AppliedConfiguration {
  /** 0 before the first configuration was applied; each later one adds 1. Older versions are kept. */
  readonly version: number;
  readonly configuration: Configuration;
}

/**
 * Reads the configuration in force; an empty one, with version 0, before any was applied.
 * @param known returned again if it is the one in force: a document may be large
 */
export async function currentConfiguration(
  db: Database,
  known: AppliedConfiguration | null = null,
): Promise<AppliedConfiguration> {
  const { rows } = await sql<{ version: number; document: Configuration | null }>`
    select version, case when version is distinct from ${known?.version ?? null}::int then document end as document
    from configuration order by version desc limit 1`.execute(db);
  const row = rows[0];
  if (row === undefined) return { version: 0, configuration: emptyConfiguration };
  if (known !== null && row.document === null) return known;
  const { version, document } = row;
  return { version, configuration: withCurrentDefaults(version, document ?? emptyConfiguration) };
}

/** Adds the defaults of fields that this release has and the release that stored the document did not have. */
function withCurrentDefaults(version: number, document: Configuration): Configuration {
  const { success, data } = configurationSchema.safeParse(document);
  if (success) return data;
  // The rules of a configuration became stricter in this release. Passwords are changed as before, until an operator
  // applies a valid configuration.
  log.warn(
    'the configuration in force is not valid in this release; run "lockstep plan" to see what to correct',
    {
      version,
    },
  );
  // Sections that are newer than the document are missing in it.
  return { ...emptyConfiguration, ...document };
}

/**
 * Applies a configuration. Sources that are down or paused by the worker are tried again where their settings differ
 * from before. The canonical names of their accounts are computed again.
 * @param basedOn the version that the caller planned against
 * @param by the actor for the audit
 * @param rulesOf how the accounts of a source are distinguished
 * @returns the new version, or null when another one was applied in between
 * @throws NamesShared when the new settings make two linked accounts one; then nothing was changed
 */
export async function applyConfiguration(
  db: Database,
  configuration: Configuration,
  basedOn: number,
  by: string,
  rulesOf: AccountRulesOf,
): Promise<number | null> {
  return db.transaction().execute(async (trx) => {
    const { configuration: before } = await currentConfiguration(trx);
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
    for (const source of await readChangedSources(trx, basedOn))
      await reopenSource(trx, source, 'by_worker', by);
    await renewNames(trx, before, configuration, rulesOf);
    await sql`select pg_notify(${channels.configuration}, ${String(basedOn + 1)})`.execute(trx);
    return basedOn + 1;
  });
}

/**
 * Reads the sources that are down or paused and whose settings differ from those before: the new settings may have
 * solved the problem, or removed the source.
 */
async function readChangedSources(db: Database, before: number): Promise<string[]> {
  const { rows } = await sql<{ source: string }>`
    select s.source from source_state s join configuration new on new.version = ${before + 1}
    left join configuration old on old.version = ${before}
    where new.document -> 'sources' -> s.source is distinct from old.document -> 'sources' -> s.source`.execute(
    db,
  );
  return rows.map(({ source }) => source);
}

/** Linked accounts that the new settings of their source make one. */
export class NamesShared extends Error {
  readonly shared: readonly SharedName[];
  constructor(shared: readonly SharedName[]) {
    super('The settings of a source make two linked accounts one');
    this.shared = shared;
  }
}

async function renewNames(
  trx: Database,
  before: Configuration,
  after: Configuration,
  rulesOf: AccountRulesOf,
): Promise<void> {
  const changed = withOtherSettings(before, after);
  for (const source of changed) await lockLinks(trx, source);
  const shared = await sharedNamesIn(trx, changed, after, rulesOf);
  if (shared.length > 0) throw new NamesShared(shared);
  for (const source of changed) {
    await renewNameKeys(trx, source, rulesOf(after.sources[source]).naming);
    await releaseDuplicates(trx, source);
  }
}

/** Finds the linked accounts that a configuration would make one. */
export const sharedNames = (
  db: Database,
  before: Configuration,
  after: Configuration,
  rulesOf: AccountRulesOf,
): Promise<SharedName[]> => sharedNamesIn(db, withOtherSettings(before, after), after, rulesOf);

async function sharedNamesIn(
  db: Database,
  changed: readonly string[],
  after: Configuration,
  rulesOf: AccountRulesOf,
): Promise<SharedName[]> {
  const found: SharedName[] = [];
  for (const source of changed)
    found.push(...(await findSharedNames(db, source, rulesOf(after.sources[source]).naming)));
  return found;
}

/** The sources of `after` that are new, or have another kind or other settings than before. */
const withOtherSettings = (before: Configuration, after: Configuration): string[] =>
  Object.keys(after.sources).filter((source) => {
    const [old, changed] = [before.sources[source], after.sources[source]];
    return old?.kind !== changed?.kind || !isDeepStrictEqual(old?.settings, changed?.settings);
  });
