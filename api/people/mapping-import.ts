import { z } from 'zod';
import { rulesIn } from '../../intake/find-person';
import {
  generatedMappingsSchema,
  type MappingRow,
  mappingPlanSchema,
} from '../../model/api/mapping-import';
import { type Application, isUser } from '../../model/configuration/application';
import type { Configuration } from '../../model/configuration/document';
import { applicationNamed } from '../../model/configuration/document';
import { attribute } from '../../model/configuration/names';
import type { Person } from '../../model/people/correlation';
import { generatedName, type NameRule } from '../../model/people/generated-name';
import {
  mayHaveMapping,
  type PlannedMapping,
  type WantedRow,
} from '../../model/people/mapping-plan';
import { MAX_MAPPING_ROWS, mappingRowReasons } from '../../model/people/mapping-rows';
import { importMappings, planRows } from '../../store/people/import-mappings';
import { readPeopleAfter } from '../../store/people/mapping-facts';
import { actorOf } from '../http/actor';
import { HttpProblem } from '../http/problem';
import { type RequestBody, type Route, route, smallBody } from '../http/route';
import { accountName, cursor, personName, sourceName } from '../http/schemas';

const LIMIT_BYTES = 4 * 1024 * 1024;

const row = z
  .strictObject({
    application: sourceName,
    identity: personName.optional().describe('The name of the person.'),
    owner: z
      .strictObject({ source: sourceName, account: accountName })
      .optional()
      .describe('Names the person by their account in another source, instead of `identity`.'),
    account: accountName
      .optional()
      .describe('Optional if the person has only one account in the source of the application.'),
  })
  .refine(({ identity, owner }) => (identity === undefined) !== (owner === undefined), {
    path: ['identity'],
    message: 'name the person by identity or by owner, and not by both',
  })
  .meta({ id: 'WantedMappingRow' });

const link = z
  .boolean()
  .default(false)
  .describe('Links accounts that are linked to no one to the person of their row.');

const rows = z.array(row).min(1).max(MAX_MAPPING_ROWS);

const rowsBody = <Schema extends z.ZodType>(schema: Schema): RequestBody<Schema> => ({
  schema,
  limitBytes: LIMIT_BYTES,
  maxDepth: 8,
  examples: { alice: { rows: [{ application: 'reports', identity: 'alice', account: 'alice' }] } },
});

const configuredIn = (configuration: Configuration) => ({
  applications: configuration.applications,
  rulesOf: (source: string) => rulesIn(configuration, source),
});

const plan = route({
  method: 'post',
  path: '/v1/mappings/plan',
  right: 'configure',
  summary: 'Preview what an import of mappings would do',
  description:
    'Compares each row with the people, accounts and mappings, and changes nothing. A conflict is reported and never guessed.',
  body: rowsBody(z.strictObject({ rows, link }).meta({ id: 'MappingPlanRequest' })),
  answers: { 200: { says: 'What would become of each row.', schema: mappingPlanSchema } },
  handle: async (deps, { body }) => {
    const { configuration } = await deps.configuration();
    const planned = await planRows(deps.db, configuredIn(configuration), body.rows, body.link);
    return { status: 200, body: answerOf(planned, false) };
  },
});

const importRoute = route({
  method: 'post',
  path: '/v1/mappings/import',
  right: 'configure',
  summary: 'Create mappings of a list',
  description:
    'Creates the mappings that can be created, all of them or none, and reports the others. A repeated request creates nothing twice.',
  body: rowsBody(
    z
      .strictObject({
        rows,
        link,
        enabled: z
          .boolean()
          .default(false)
          .describe('Whether the created mappings are enabled at once.'),
      })
      .meta({ id: 'MappingImport' }),
  ),
  answers: { 200: { says: 'What became of each row.', schema: mappingPlanSchema } },
  handle: async (deps, { caller, body }) => {
    const { configuration } = await deps.configuration();
    const { rows: wanted, ...options } = body;
    const configured = configuredIn(configuration);
    const planned = await importMappings(deps.db, configured, wanted, options, actorOf(caller));
    return { status: 200, body: answerOf(planned, true) };
  },
});

const rule = z.strictObject({
  from: attribute
    .max(100)
    .default('name')
    .describe('An attribute of the person; `name` is the name of the person.'),
  stripDomain: z
    .boolean()
    .default(false)
    .describe('Removes `DOMAIN\\` at the beginning and `@domain` at the end.'),
  case: z.enum(['upper', 'lower']).nullable().default(null),
  prefix: z.string().max(255).default('').describe('Text before the name.'),
  suffix: z.string().max(255).default('').describe('Text after the name.'),
  limit: z
    .int()
    .min(1)
    .max(1024)
    .nullable()
    .default(null)
    .describe('The most characters of the whole name. Prefix and suffix are never cut.'),
});

const generate = route({
  method: 'post',
  path: '/v1/mappings/generate',
  right: 'configure',
  summary: 'Generate the rows of an import by a rule',
  description:
    'Makes a name for each user of the application, a page of people at a time, and previews these rows. It changes nothing; send the rows to `/v1/mappings/import`.',
  body: smallBody(
    z
      .strictObject({ application: sourceName, rule, link, cursor })
      .meta({ id: 'MappingGeneration' }),
    { upper: { application: 'reports', rule: { stripDomain: true, case: 'upper', limit: 8 } } },
  ),
  answers: { 200: { says: 'The generated rows.', schema: generatedMappingsSchema } },
  problems: ['not_found'],
  handle: async (deps, { body }) => {
    const { configuration } = await deps.configuration();
    const application = applicationNamed(configuration, body.application);
    if (application === undefined) throw new HttpProblem('not_found');
    const people = await readPeopleAfter(deps.db, body.cursor ?? null, MAX_MAPPING_ROWS);
    const { wanted, skipped } = generated(
      people.filter((person) => isUserOf(application, person, configuration.peopleGroups)),
      body.application,
      body.rule,
    );
    const planned = await planRows(deps.db, configuredIn(configuration), wanted, body.link);
    const next = people.length < MAX_MAPPING_ROWS ? null : (people.at(-1)?.name ?? null);
    return { status: 200, body: { ...answerOf(planned, false), skipped, next } };
  },
});

/** In a `group` application, people use the mapping of a shared identity and have none of their own. */
const isUserOf = (
  application: Application,
  person: Person,
  groups: Configuration['peopleGroups'],
): boolean =>
  application.type === 'group'
    ? mayHaveMapping(application, person.name)
    : isUser(application, person, groups);

function generated(
  people: readonly Person[],
  application: string,
  rule: NameRule,
): { readonly wanted: WantedRow[]; readonly skipped: string[] } {
  const limited = { ...rule, limit: rule.limit ?? MAX_NAME };
  const named = people.map((person) => [person.name, generatedName(limited, person)] as const);
  return {
    wanted: named.flatMap(([identity, account]) =>
      account === null ? [] : [{ application, identity, account }],
    ),
    skipped: named.flatMap(([identity, account]) => (account === null ? [identity] : [])),
  };
}

/** The longest name that a row of an import accepts. */
const MAX_NAME = 1024;

function answerOf(planned: readonly PlannedMapping[], imported: boolean) {
  const answered = planned.map(
    ({ status, reason, identity, application, account, creates }, row): MappingRow => ({
      ...{ row, identity, application, account, reason },
      status: status === 'create' && imported ? 'created' : status,
      says: reason === null ? null : mappingRowReasons[reason].says,
      links: creates !== null && creates.accountId === null,
    }),
  );
  const counts = { create: 0, created: 0, exists: 0, conflict: 0, unknown: 0 };
  for (const { status } of answered) counts[status]++;
  return { counts, rows: answered };
}

export const mappingImportRoutes: readonly Route[] = [plan, importRoute, generate];
