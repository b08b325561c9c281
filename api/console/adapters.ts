import { type AdapterView, adapterPage } from '../../console/desk/adapter';
import { ADAPTERS, adapterAddress, adaptersPage } from '../../console/desk/adapters';
import { EDIT, type EditView, editPage } from '../../console/desk/edit';
import type { Adapters, ListedMessages } from '../../model/api/adapter-status';
import type { ConfigurationPlan } from '../../model/api/configuration';
import type { ApiKeys } from '../../model/api/keys';
import type { MasterKeys } from '../../model/api/master-keys';
import type { Sources, Waiting } from '../../model/api/sources';
import type { Configuration } from '../../model/configuration/document';
import { HttpProblem } from '../http/problem';
import { applicationsOf, type Edit, editOf } from './edits';
import { changesSince } from './meanwhile';
import { type ConsolePage, type PageAnswer, redirect } from './pages';
import { signInAgain } from './sign-in-address';
import { issuesOf, type StaffVisit, staffPage } from './staff';

/** The pages about the adapters of single sign-on, and the preview of the edits that they offer. */
export const adapterPages = (): readonly ConsolePage[] => [
  staffPage('get', ADAPTERS, list),
  staffPage('get', `${ADAPTERS}/:name`, async ({ api, desk, param }) => {
    const view = await readAdapter(api, param('name'));
    return { status: 200, html: adapterPage(desk, view) };
  }),
  staffPage('post', `${ADAPTERS}/:name/reset`, async ({ api, param }) => {
    const sources = [param('name')];
    await api.answer('post', '/v1/captures/reset', { body: { sources } });
    return redirect(`${adapterAddress(param('name'))}?done=reset`);
  }),
  staffPage('post', EDIT, edit, { home: ADAPTERS }),
];

type PageApi = StaffVisit['api'];

async function list({ api, desk }: StaffVisit): Promise<PageAnswer> {
  const [adapters, { sources }, masterKeys] = await Promise.all([
    api.get<Adapters>('/v1/adapters'),
    api.get<Sources>('/v1/sources'),
    api.get<MasterKeys>('/v1/master-keys'),
  ]);
  const taken = adapters.adapters.filter(({ adapter }) => adapter !== null);
  const others = sources
    .map(({ name }) => name)
    .filter((name) => taken.every(({ source }) => source !== name));
  const view = { ...adapters, masterKeys, others, mayConfigure: api.may('configure') };
  return { status: 200, html: adaptersPage(desk, view) };
}

async function readAdapter(api: PageApi, name: string): Promise<AdapterView> {
  const [{ adapters }, { sources }] = await Promise.all([
    api.get<Adapters>('/v1/adapters'),
    api.get<Sources>('/v1/sources'),
  ]);
  const status = adapters.find((adapter) => adapter.source === name);
  const source = sources.find((one) => one.name === name);
  if (status === undefined || source === undefined) throw new HttpProblem('not_found');
  const [{ groups }, messages, keys, configuration] = await Promise.all([
    api.get<Waiting>('/v1/sources/{name}/waiting', { params: { name } }),
    status.properties === null
      ? null
      : api.get<ListedMessages>('/v1/adapters/{source}/messages', { params: { source: name } }),
    api.may('administer') ? api.get<ApiKeys>('/v1/keys') : null,
    api.may('configure') ? inForce(api) : null,
  ]);
  return {
    ...{ status, source, groups, messages },
    keys: keys?.keys.filter((key) => key.source === name && key.scopes.includes('adapter')) ?? null,
    applications: configuration === null ? [] : applicationsOf(configuration, name),
    mayConfigure: api.may('configure'),
    mayOperate: api.may('operate'),
  };
}

const inForce = async (api: PageApi): Promise<Configuration> =>
  (await api.get<{ configuration: Configuration }>('/v1/configuration')).configuration;

/**
 * Shows what an edit would change, or applies it. An edit that is not valid is explained; one that needs a recent sign-in
 * is shown again, so that it is not lost.
 */
async function edit({ visit, api, isRecent, desk, field }: StaffVisit): Promise<PageAnswer> {
  const fields: Record<string, string> = {};
  const read = (name: string) => {
    fields[name] = field(name);
    return field(name);
  };
  const { document, ...wanted }: Edit = editOf(await inForce(api), read);
  const shown = (status: number, more: Partial<EditView>) => ({
    status,
    html: editPage(desk, {
      ...{ ...wanted, fields, plan: null, issues: [], meanwhile: null, ...more },
      signIn: status === 403 ? signInAgain(visit) : null,
    }),
  });
  try {
    const { body } = await api.answer('post', '/v1/configuration/plan', { body: { document } });
    const plan = body as ConfigurationPlan;
    if (field('do') !== 'apply') return shown(200, { plan });
    const meanwhile = await changesSince(api, field('version'));
    if (meanwhile !== null) return shown(409, { plan, meanwhile });
    if (!isRecent) return shown(403, { plan });
    const version = Number(field('version'));
    await api.answer('post', '/v1/configuration/apply', { body: { document, version } });
    return redirect(`${wanted.back}?done=applied`);
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error;
    if (error.code === 'configuration_changed')
      return shown(409, { meanwhile: await changesSince(api, field('version')) });
    if (error.code !== 'configuration_invalid') throw error;
    return shown(422, { issues: issuesOf(error) });
  }
}
