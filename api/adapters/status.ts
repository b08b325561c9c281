import { z } from 'zod';
import { PULL_KIND, pullSettings } from '../../model/adapters/settings';
import {
  type AdapterStatus,
  adaptersSchema,
  listedMessagesSchema,
} from '../../model/api/adapter-status';
import { reasonText } from '../../model/audit/says';
import { adapterDirections } from '../../model/configuration/adapter-directions';
import { adapterWarnings } from '../../model/configuration/adapter-issues';
import { type Configuration, sourceNamed } from '../../model/configuration/document';
import {
  type AdapterConnection,
  countDiscarded,
  countMappings,
  countResults,
  listMessages,
  readConnections,
} from '../../store/adapters/listed';
import type { Database } from '../../store/database';
import { readSourceUse } from '../../store/sources/usage';
import { HttpProblem } from '../http/problem';
import { type Route, route } from '../http/route';
import { sourceName } from '../http/schemas';
import { visibleSources } from '../sources/visible';

const MESSAGES = 50;

const list = route({
  method: 'get',
  path: '/v1/adapters',
  right: 'read',
  summary: 'See what each adapter synchronizes, and what keeps it from that',
  answers: { 200: { says: 'The switches, and the adapters by name.', schema: adaptersSchema } },
  handle: async ({ db, configuration }, { caller }) => {
    const { configuration: inForce } = await configuration();
    const facts = await readFacts(db);
    const names = visibleSources(inForce, caller).filter((name) => isAdapter(inForce, name));
    const adapters = names.map((name) => statusOf(inForce, name, facts));
    return { status: 200, body: { switches: inForce.sso.switches, adapters } };
  },
});

const messages = route({
  method: 'get',
  path: '/v1/adapters/{source}/messages',
  right: 'read',
  summary: 'See the messages to an adapter, and their results',
  description: `The ${MESSAGES} newest messages, those that are not settled first. Settled ones are kept for about a day. A key that is bound to groups sees those of changes in these groups. No answer contains a password.`,
  params: z.strictObject({ source: sourceName }),
  answers: { 200: { says: 'The messages.', schema: listedMessagesSchema } },
  problems: ['not_found'],
  handle: async ({ db, configuration }, { caller, params: { source } }) => {
    const { configuration: inForce } = await configuration();
    const isVisible = visibleSources(inForce, caller).includes(source);
    if (!isVisible || sourceNamed(inForce, source)?.kind !== PULL_KIND)
      throw new HttpProblem('not_found');
    const [found, results] = await Promise.all([
      listMessages(db, { source, groups: caller.groups }, MESSAGES),
      countResults(db, { source, groups: caller.groups }),
    ]);
    const listed = found.map((message) => ({
      ...message,
      says: message.reason === null ? null : reasonText(message.reason),
    }));
    return { status: 200, body: { results, messages: listed } };
  },
});

export const adapterStatusRoutes: readonly Route[] = [list, messages];

const isAdapter = (configuration: Configuration, name: string): boolean => {
  const source = sourceNamed(configuration, name);
  return source?.adapter !== undefined || source?.kind === PULL_KIND;
};

/** What the store knows about all adapters. */
async function readFacts(db: Database) {
  const [connections, discarded, mappings, use] = await Promise.all([
    readConnections(db),
    countDiscarded(db),
    countMappings(db),
    readSourceUse(db),
  ]);
  return { connections, discarded, mappings, use };
}

function statusOf(
  configuration: Configuration,
  name: string,
  { connections, discarded, mappings, use }: Awaited<ReturnType<typeof readFacts>>,
): AdapterStatus {
  const source = sourceNamed(configuration, name);
  const adapter = source?.adapter ?? null;
  const applications = (adapter?.applications ?? []).map((application) => {
    const { label = application, enabled = false } = configuration.applications[application] ?? {};
    const { all = 0, enabled: enabledMappings = 0 } = mappings.get(application) ?? {};
    return { name: application, label, enabled, mappings: all, enabledMappings };
  });
  const enabledMappings = applications.reduce((sum, one) => sum + one.enabledMappings, 0);
  const pulls = source?.kind === PULL_KIND;
  const { waiting = 0, parked = 0 } = use.get(name) ?? {};
  return {
    source: name,
    kind: source?.kind ?? '',
    enabled: source?.enabled === true && adapter?.enabled !== false,
    adapter,
    properties: pulls ? pullSettings.parse(source?.settings) : null,
    applications,
    directions: adapterDirections(configuration, name, enabledMappings).map((one) => ({
      ...one,
      obstacles: [...one.obstacles],
    })),
    warnings: adapterWarnings(configuration, name),
    connection: pulls ? connectionOf(connections.get(name)) : null,
    ...{ waiting, parked, discarded: discarded.get(name) ?? 0 },
  };
}

function connectionOf(found: AdapterConnection | undefined): AdapterStatus['connection'] {
  if (found === undefined) return null;
  const { source: _, ...connection } = found;
  return connection;
}
