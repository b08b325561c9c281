import { z } from 'zod';
import { connectorKinds, type RegisteredKind } from '../../connectors/registry';
import { type ConnectorKindRow, connectorsSchema } from '../../model/api/connectors';
import { text } from '../../model/api/fields';
import type { ConfigurationIssue } from '../../model/configuration/document';
import { fieldIssues } from '../../model/configuration/field-issues';
import type { Database } from '../../store/database';
import { readSecretPlaces } from '../../store/presence';
import { referenceIssues } from '../configuration/references';
import { actorOf } from '../http/actor';
import { HttpProblem } from '../http/problem';
import { largeBody, type Route, route } from '../http/route';
import { jobAnswers, jobHeaders, sendJob } from './send-job';

/** Routes for a source before it is in the configuration: which kinds there are, and a check of its settings. */

const rowOf = (kind: RegisteredKind): ConnectorKindRow => ({
  kind: kind.kind,
  title: kind.title,
  settings: z.toJSONSchema(kind.settings, { io: 'input', unrepresentable: 'any' }),
  secretSettings: [...kind.secretSettings],
  proof: kind.traits.proof,
  needs: [...kind.needs],
});

/** The registry does not change while the process runs. */
let rows: ConnectorKindRow[] | null = null;

const list = route({
  method: 'get',
  path: '/v1/connectors',
  right: 'configure',
  summary: 'List the kinds of sources, with the schema of their settings',
  answers: { 200: { says: 'The kinds of sources.', schema: connectorsSchema } },
  handle: async ({ db }) => {
    rows ??= [...connectorKinds.values()].map(rowOf);
    return { status: 200, body: { kinds: rows, secretPlaces: await readSecretPlaces(db) } };
  },
});

const candidateSchema = z.strictObject({
  kind: text(40).describe('The connector: see `GET /v1/connectors`.'),
  settings: z
    .record(z.string(), z.unknown())
    .describe('Its settings, with references to secrets as in lockstep.yaml, never secrets.'),
});

const check = route({
  method: 'post',
  path: '/v1/sources/check',
  right: 'configure',
  summary: 'Check a source before it is in the configuration',
  description:
    'A worker signs in to the source with these settings, reads its password policies and its first accounts, and changes nothing there. The references to secrets have the limits of the configuration. The audit keeps the settings. The result is deleted after an hour.',
  headers: jobHeaders,
  body: largeBody(candidateSchema, {
    ldap: {
      kind: 'ldap',
      settings: {
        url: 'ldaps://ldap.example.com',
        bindDn: 'cn=lockstep,dc=example,dc=com',
        bindPassword: '${file:ldap}',
        base: 'ou=people,dc=example,dc=com',
      },
    },
  }),
  answers: jobAnswers,
  problems: ['configuration_invalid'],
  handle: async (deps, { caller, headers: { prefer }, body, gone }) => {
    const issues = await issuesOf(deps.db, body);
    if (issues.length > 0) throw new HttpProblem('configuration_invalid', { issues });
    const requestedBy = actorOf(caller);
    const job = { kind: 'check' as const, source: null, parameters: body, requestedBy };
    return sendJob(deps, job, prefer, gone);
  },
});

/** The same checks as those of a whole configuration, with paths from `settings` on. */
async function issuesOf(
  db: Database,
  { kind, settings }: z.output<typeof candidateSchema>,
): Promise<ConfigurationIssue[]> {
  const known = connectorKinds.get(kind);
  if (known === undefined) {
    const kinds = [...connectorKinds.keys()].join(', ');
    return [{ path: ['kind'], says: `there is no connector "${kind}"; there are: ${kinds}` }];
  }
  const sources = { candidate: { kind, settings } };
  const unresolved = await referenceIssues(db, { sources, notices: {} });
  return [
    ...fieldIssues(['settings'], settings, known),
    ...unresolved.map((issue) => ({ ...issue, path: issue.path.slice(2) })),
  ];
}

export const candidateRoutes: readonly Route[] = [list, check];
