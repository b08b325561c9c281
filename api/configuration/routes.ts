import { z } from 'zod';
import { connectorKinds } from '../../connectors/registry';
import { policyFileIssues } from '../../intake/policy/files';
import {
  configurationAppliedSchema,
  configurationPlanSchema,
  configurationVersion,
} from '../../model/api/configuration';
import { checkConfiguration } from '../../model/configuration/check';
import { type Difference, differences } from '../../model/configuration/differences';
import type { Configuration } from '../../model/configuration/document';
import { hashPaths } from '../../model/configuration/hash-paths';
import { keepPolicies, lostPolicyIssues } from '../../model/configuration/kept-policies';
import { applyConfiguration, currentConfiguration } from '../../store/configuration/versions';
import { readMappingUse, readSourceUse } from '../../store/sources/usage';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { largeBody, type Route, route } from '../http/route';
import { fitOfGroups } from './fit';

/** Any JSON goes in, so that every mistake is told at once; `checkConfiguration` is the judge. */
const document = z.unknown().meta({
  type: 'object',
  description: 'The content of lockstep.yaml. See docs/configuration.md.',
});

const example = { document: { version: 1, sources: {}, policies: {}, groups: {} } };

/** What `candidate` means when it follows the one in force. */
async function checked(candidate: unknown, inForce: Configuration): Promise<Configuration> {
  const result = checkConfiguration(candidate, connectorKinds);
  if (!result.valid) throw new HttpProblem('configuration_invalid', { issues: result.issues });
  const kept = keepPolicies(inForce, result.configuration);
  const issues = [...lostPolicyIssues(kept), ...(await policyFileIssues(kept))];
  if (issues.length > 0) throw new HttpProblem('configuration_invalid', { issues });
  return kept;
}

const read = route({
  method: 'get',
  path: '/v1/configuration',
  scope: 'admin',
  summary: 'Read the configuration in force',
  answers: {
    200: {
      says: 'The configuration. It holds references to secrets, never secrets.',
      schema: z.object({
        version: configurationVersion,
        configuration: z.custom<Configuration>().meta({ type: 'object' }),
      }),
    },
  },
  handle: async (deps) => ({ status: 200, body: await deps.configuration() }),
});

const plan = route({
  method: 'post',
  path: '/v1/configuration/plan',
  scope: 'admin',
  summary: 'See what a configuration would change',
  body: largeBody(z.strictObject({ document }), { empty: example }),
  answers: {
    200: {
      says: 'What would change, and what would lose its place.',
      schema: configurationPlanSchema,
    },
  },
  problems: ['configuration_invalid'],
  handle: async (deps, { body }) => {
    const { version, configuration } = await deps.configuration();
    const wanted = await checked(body.document, configuration);
    const found = differences(configuration, wanted);
    return {
      status: 200,
      body: {
        version,
        differences: found.map((one) => ({ ...one, fields: [...one.fields] })),
        deletes: await deletedUse(deps, found),
        hashPaths: hashPaths(wanted).map((path) => ({
          ...path,
          to: [...path.to],
          warnings: [...path.warnings],
        })),
        fit: [...(await fitOfGroups(deps.db, wanted))],
      },
    };
  },
});

async function deletedUse({ db }: Dependencies, found: readonly Difference[]) {
  const deleted = found.filter(
    ({ action, section }) =>
      action === 'delete' && (section === 'sources' || section === 'applications'),
  );
  if (deleted.length === 0) return [];
  const [sources, mappings] = await Promise.all([readSourceUse(db), readMappingUse(db)]);
  return deleted.map(({ section, name }) => ({
    section,
    name,
    accounts: section === 'sources' ? (sources.get(name)?.accounts ?? 0) : 0,
    mappings: mappings
      .filter((one) => (section === 'sources' ? one.source : one.application) === name)
      .reduce((sum, one) => sum + one.mappings, 0),
  }));
}

const apply = route({
  method: 'post',
  path: '/v1/configuration/apply',
  scope: 'admin',
  summary: 'Apply a configuration',
  body: largeBody(
    z.strictObject({
      document,
      version: configurationVersion.describe('The one that was planned against.'),
    }),
    { first: { ...example, version: 0 } },
  ),
  answers: { 200: { says: 'It is in force.', schema: configurationAppliedSchema } },
  problems: ['configuration_invalid', 'configuration_changed'],
  handle: async ({ db }, { caller, body }) => {
    const inForce = await currentConfiguration(db);
    const wanted = await checked(body.document, inForce.configuration);
    const by = `api-key:${caller.keyId}`;
    const applied = await applyConfiguration(db, wanted, body.version, by);
    if (applied === null) throw new HttpProblem('configuration_changed');
    return { status: 200, body: { version: applied } };
  },
});

export const configurationRoutes: readonly Route[] = [read, plan, apply];
