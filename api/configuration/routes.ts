import { z } from 'zod';
import { channelKinds } from '../../connectors/notices/registry';
import { accountRulesOf, connectorKinds } from '../../connectors/registry';
import { policyFileIssues } from '../../intake/policy/files';
import {
  configurationAppliedSchema,
  configurationPlanSchema,
  configurationVersion,
} from '../../model/api/configuration';
import { adapterWarnings } from '../../model/configuration/adapter-issues';
import { fixedFieldIssues } from '../../model/configuration/application-issues';
import { effectWarnings } from '../../model/configuration/capture-effect';
import { captureTraitsIn, checkConfiguration } from '../../model/configuration/check';
import {
  type Difference,
  differences,
  valueDifferences,
} from '../../model/configuration/differences';
import type { Configuration, ConfigurationIssue } from '../../model/configuration/document';
import { hashPaths } from '../../model/configuration/hash-paths';
import { keepPolicies, lostPolicyIssues } from '../../model/configuration/kept-policies';
import {
  applyConfiguration,
  currentConfiguration,
  NamesShared,
  sharedNames,
} from '../../store/configuration/versions';
import type { Database } from '../../store/database';
import type { SharedName } from '../../store/people/account-names';
import { readMappingUse, readSourceUse } from '../../store/sources/usage';
import { actorOf } from '../http/actor';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';
import { largeBody, type Route, route } from '../http/route';
import { fitOfGroups } from './fit';
import { referenceIssues } from './references';

/** Any JSON passes the request schema, so that `checkConfiguration` can report all mistakes at once. */
const document = z.unknown().meta({
  type: 'object',
  description: 'The content of lockstep.yaml. See docs/configuration.md.',
});

const example = { document: { version: 1, sources: {}, policies: {}, groups: {} } };

/**
 * The valid configuration that `candidate` describes, with the policies that it inherits from the one in force.
 * @throws HttpProblem with all issues
 */
async function checked(
  { db }: Dependencies,
  candidate: unknown,
  inForce: Configuration,
): Promise<Configuration> {
  const result = checkConfiguration(candidate, connectorKinds, channelKinds);
  if (!result.valid)
    throw new HttpProblem('configuration_invalid', {
      issues: [...result.issues, ...(await placeIssues(db, result.readable))],
    });
  const kept = keepPolicies(inForce, result.configuration);
  const issues = [
    ...lostPolicyIssues(kept),
    ...fixedFieldIssues(inForce, kept),
    ...(await placeIssues(db, kept)),
    ...(await sharedNames(db, inForce, kept, accountRulesOf)).map(sharedNameIssue),
  ];
  if (issues.length > 0) throw new HttpProblem('configuration_invalid', { issues });
  return kept;
}

/** The issues of files and references to secrets. */
async function placeIssues(
  db: Database,
  configuration: Configuration | null,
): Promise<readonly ConfigurationIssue[]> {
  if (configuration === null) return [];
  return [
    ...(await policyFileIssues(configuration)),
    ...(await referenceIssues(db, configuration)),
  ];
}

const sharedNameIssue = ({ source, accounts }: SharedName) => ({
  path: ['sources', source],
  says: `makes linked accounts one with these settings: ${accounts
    .map(({ name, person }) => `"${name}" of ${person}`)
    .join(' and ')}; unlink all but one of them first`,
});

const read = route({
  method: 'get',
  path: '/v1/configuration',
  right: 'configure',
  summary: 'Read the configuration in force',
  answers: {
    200: {
      says: 'The configuration. It contains references to secrets, never secrets.',
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
  right: 'configure',
  summary: 'See what a configuration would change',
  body: largeBody(z.strictObject({ document }), { empty: example }),
  answers: {
    200: {
      says: 'What would change, and what would be deleted.',
      schema: configurationPlanSchema,
    },
  },
  problems: ['configuration_invalid'],
  handle: async (deps, { body }) => {
    const { version, configuration } = await deps.configuration();
    const wanted = await checked(deps, body.document, configuration);
    const found = differences(configuration, wanted);
    return {
      status: 200,
      body: {
        version,
        differences: valueDifferences(configuration, wanted).map(({ fields, ...difference }) => ({
          ...difference,
          fields: difference.action === 'update' ? fields.map(({ path }) => path) : [],
          values: difference.action === 'update' ? fields : [],
        })),
        deletes: await deletedUse(deps, found),
        hashPaths: hashPaths(wanted).map((path) => ({
          ...path,
          to: [...path.to],
          warnings: [...path.warnings],
        })),
        warnings: [
          ...effectWarnings(wanted, captureTraitsIn(wanted, connectorKinds)),
          ...adapterWarnings(wanted),
          ...(await keptLinkWarnings(deps, found)),
        ],
        fit: [...(await fitOfGroups(deps.db, wanted))],
      },
    };
  },
});

/** Links outlive their source. A source of the same name uses them again, even if it is another server. */
async function keptLinkWarnings({ db }: Dependencies, found: readonly Difference[]) {
  const added = found.filter(({ action, section }) => action === 'create' && section === 'sources');
  if (added.length === 0) return [];
  const use = await readSourceUse(db);
  return added.flatMap(({ name }) => {
    const accounts = use.get(name)?.accounts ?? 0;
    return accounts === 0
      ? []
      : [
          `${accounts === 1 ? '1 account is' : `${accounts} accounts are`} still linked to a former source named "${name}", and the new source uses these links. If it is another server, give the source another name, or unlink the accounts with "lockstep identities unlink" before a password is written. Then run "lockstep refresh ${name}".`,
        ];
  });
}

/** How many linked accounts and mappings each deleted source or application has. They are kept. */
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
      .filter((use) => (section === 'sources' ? use.source : use.application) === name)
      .reduce((sum, use) => sum + use.mappings, 0),
  }));
}

const apply = route({
  method: 'post',
  path: '/v1/configuration/apply',
  right: 'configure',
  summary: 'Apply a configuration',
  body: largeBody(
    z.strictObject({
      document,
      version: configurationVersion.describe('The version that the plan was made against.'),
    }),
    { first: { ...example, version: 0 } },
  ),
  answers: { 200: { says: 'The configuration is in force.', schema: configurationAppliedSchema } },
  problems: ['configuration_invalid', 'configuration_changed'],
  handle: async (deps, { caller, body }) => {
    const { db } = deps;
    const inForce = await currentConfiguration(db);
    const wanted = await checked(deps, body.document, inForce.configuration);
    const by = actorOf(caller);
    const applied = await applyConfiguration(db, wanted, body.version, by, accountRulesOf).catch(
      (error: unknown) => {
        // An account was linked after the check.
        if (error instanceof NamesShared)
          throw new HttpProblem('configuration_invalid', {
            issues: error.shared.map(sharedNameIssue),
          });
        throw error;
      },
    );
    if (applied === null) throw new HttpProblem('configuration_changed');
    return { status: 200, body: { version: applied } };
  },
});

export const configurationRoutes: readonly Route[] = [read, plan, apply];
