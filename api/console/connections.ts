import { applicationsPage } from '../../console/desk/applications';
import { graphPage } from '../../console/desk/graph';
import { relaysPage } from '../../console/desk/relays';
import { chooseGroupPage, trialPage } from '../../console/desk/trial';
import type { ChangePlan } from '../../model/api/change-plan';
import type { MappingsPage } from '../../model/api/identities';
import type { Relays } from '../../model/api/relays';
import { adaptersIn } from '../../model/configuration/adapter-edits';
import type { Configuration } from '../../model/configuration/document';
import { asHttpProblem, HttpProblem } from '../http/problem';
import { type ConsolePage, type PageAnswer, redirect } from './pages';
import { oneOf, type StaffVisit, staffPage } from './staff';

/** Pages that show how Lockstep is connected: relays, applications with their mappings, the graph, a dry run. */
export const connectionPages = (): readonly ConsolePage[] => [
  staffPage('get', '/console/relays', async ({ api, desk }) => ({
    status: 200,
    html: relaysPage(desk, (await api.get<Relays>('/v1/relays')).relays),
  })),
  staffPage('get', '/console/applications', async ({ api, desk, query }) => {
    const page = await api.get<MappingsPage>('/v1/mappings', { query });
    const found = api.may('configure') ? await applicationsIn(api) : null;
    const view = { applications: found?.applications ?? null, page, query };
    const adapters = found?.adapters ?? new Map<string, string>();
    return { status: 200, html: applicationsPage(desk, { ...view, adapters }) };
  }),
  staffPage('post', '/console/mappings/:id/:verb', changeMapping, {
    home: '/console/applications',
  }),
  staffPage('get', '/console/people/:name/plan', tryChange),
  staffPage('get', '/console/graph', async ({ api, desk }) => {
    if (!api.may('administer')) throw new HttpProblem('forbidden');
    return { status: 200, html: graphPage(desk) };
  }),
  staffPage('get', '/console/graph/picture', async ({ api, visit }) => {
    const { headers, stream } = await api.answer('get', '/v1/graph/picture');
    visit.response.writeHead(200, { ...headers });
    await stream?.(visit.response);
    return { status: 200, streamed: true };
  }),
];

/** Shows what a change would do. A person of several groups with own auth sources needs the name of one. */
async function tryChange({ api, desk, param, query }: StaffVisit): Promise<PageAnswer> {
  const identity = param('name');
  const { group = '' } = query;
  try {
    const body = { identity, ...(group === '' ? {} : { group }) };
    const { body: plan } = await api.answer('post', '/v1/changes/plan', { body });
    return { status: 200, html: trialPage(desk, plan as ChangePlan) };
  } catch (error) {
    if (asHttpProblem(error).code !== 'group_needed') throw error;
    return { status: 422, html: chooseGroupPage(desk, identity) };
  }
}

/** The applications, and the adapter that serves each of them. */
async function applicationsIn(api: StaffVisit['api']) {
  const { configuration } = await api.get<{ configuration: Configuration }>('/v1/configuration');
  const served = adaptersIn(configuration).flatMap(({ name, adapter }) =>
    adapter.applications.map((application) => [application, name] as const),
  );
  return { applications: configuration.applications, adapters: new Map(served) };
}

async function changeMapping({ api, param }: StaffVisit): Promise<PageAnswer> {
  const verb = oneOf(param('verb'), ['enable', 'disable', 'delete']);
  const params = { id: param('id') };
  if (verb === 'delete') await api.answer('delete', '/v1/mappings/{id}', { params });
  else await api.answer('post', `/v1/mappings/{id}/${verb}`, { params });
  return redirect(`/console/applications?done=mapping-${verb}`);
}
