import { auditHours, auditPage } from '../../console/desk/audit';
import { changesPage } from '../../console/desk/changes';
import { nowPage } from '../../console/desk/now';
import { oneChangePage } from '../../console/desk/one-change';
import { noSearch, personPage, searchPage } from '../../console/desk/people';
import { stalePage } from '../../console/desk/stale';
import type { AccountActionAnswer } from '../../model/api/account-actions';
import type { AuditPage, AuditRecordAnswer } from '../../model/api/audit';
import type { Change, ChangesPage } from '../../model/api/changes';
import type { IdentitiesPage } from '../../model/api/identities';
import type { Overview } from '../../model/api/overview';
import type { Presence } from '../../model/api/presence';
import type { SourceHistories } from '../../model/api/source-history';
import type { Sources } from '../../model/api/sources';
import type { StalePage } from '../../model/api/stale';
import { accountActions } from '../../model/people/account-actions';
import { asHttpProblem } from '../http/problem';
import { readActions } from './actions';
import { type ConsolePage, redirect } from './pages';
import { sourcePages } from './sources';
import { oneOf, type StaffVisit, staffPage } from './staff';

/** The pages of operators, of the help desk and of auditors. */
export const deskPages = (): readonly ConsolePage[] => [
  staffPage('get', '/console', async ({ api, desk }) => {
    // An auditor has no right to see this page, but has another first page.
    const [first] = desk.links;
    if (!api.may('read') && first !== undefined) return redirect(first.href);
    const [presence, { sources }, history] = await Promise.all([
      api.get<Presence>('/v1/presence'),
      api.get<Sources>('/v1/sources'),
      api.get<SourceHistories>('/v1/source-history', { query: { slotMinutes: '60' } }),
    ]);
    const now = {
      ...{ presence, sources, history },
      mayOperate: api.may('operate'),
      mayConnect: api.may('configure'),
    };
    return { status: 200, html: nowPage(desk, now) };
  }),
  ...sourcePages(),
  staffPage('get', '/console/changes', async ({ api, desk, query }) => {
    const [page, { sources }] = await Promise.all([
      api.get<ChangesPage>('/v1/changes', { query }),
      api.get<Sources>('/v1/sources'),
    ]);
    const names = sources.map(({ name }) => name);
    return { status: 200, html: changesPage(desk, { page, query, sources: names }) };
  }),
  staffPage('get', '/console/changes/:id', async ({ api, desk, param, query }) => {
    const params = { id: param('id') };
    const [change, { records }] = await Promise.all([
      api.get<Change>('/v1/changes/{id}', { params }),
      api.get<{ records: AuditRecordAnswer[] }>('/v1/changes/{id}/audit', { params }),
    ]);
    const one = {
      change,
      records,
      mayControl: api.may('control-changes'),
      showsAll: query.all === '1',
    };
    return { status: 200, html: oneChangePage(desk, one) };
  }),
  staffPage('post', '/console/changes/:id/:command', async ({ api, param, field }) => {
    const command = oneOf(param('command'), ['retry', 'park', 'cancel']);
    const params = { id: param('id') };
    const account = field('account');
    const body = account === '' ? undefined : { account };
    await api.answer('post', `/v1/changes/{id}/${command}`, { params, body });
    return redirect(`/console/changes/${encodeURIComponent(params.id)}?done=ordered`);
  }),
  staffPage('get', '/console/people', async ({ desk }) => ({
    status: 200,
    html: searchPage(desk, noSearch),
  })),
  staffPage('post', '/console/people', search),
  staffPage('get', '/console/people/:name', async ({ api, desk, param, query, handed }) => {
    const [person, acted] = await Promise.all([
      overviewOf(api, param('name')),
      readActions(api, query.acted ?? ''),
    ]);
    const typed = (name: string) => handed?.[name] ?? '';
    const rights = {
      ...{ mayHelp: api.may('help'), mayTry: api.may('change') },
      ...{ mayControl: api.may('control-changes'), mayUnlink: api.may('configure') },
    };
    const view = { person, acted, typed, ...rights };
    return { status: 200, html: personPage(desk, view) };
  }),
  staffPage('post', '/console/people/:name/unlink', async ({ api, param, field }) => {
    const params = { name: param('name') };
    const query = { source: field('source'), name: field('account') };
    await api.answer('delete', '/v1/identities/{name}/accounts', { params, query });
    return redirect(`/console/people/${encodeURIComponent(params.name)}?done=unlinked`);
  }),
  staffPage('post', '/console/people/:name/act', act, { keeps: ['reason', 'source'] }),
  staffPage('get', '/console/stale', async ({ api, desk, query }) => {
    const [page, { sources }] = await Promise.all([
      api.get<StalePage>('/v1/stale', { query }),
      api.get<Sources>('/v1/sources'),
    ]);
    const names = sources.map(({ name }) => name);
    return { status: 200, html: stalePage(desk, page, query, names) };
  }),
  staffPage('get', '/console/audit', async ({ api, desk, query }) => {
    const { hours = '', ...filter } = query;
    const since = Object.hasOwn(auditHours, hours)
      ? { since: new Date(desk.now.getTime() - Number(hours) * HOUR_MS).toISOString() }
      : {};
    const page = await api.get<AuditPage>('/v1/audit', { query: { ...filter, ...since } });
    return { status: 200, html: auditPage(desk, page, query) };
  }),
];

export const overviewOf = (api: StaffVisit['api'], name: string): Promise<Overview> =>
  api.get<Overview>('/v1/identities/{name}/overview', { params: { name } });

const HOUR_MS = 3_600_000;

/** As many people as a search shows. */
const SHOWN = 20;

/** Opens the person of this name, or lists who matches. The form is posted, so that no log has the name. */
async function search({ api, desk, field }: StaffVisit) {
  const typed = field('name').trim();
  const person = await personNamed(api, typed);
  if (person !== null) return redirect(`/console/people/${encodeURIComponent(person.name)}`);
  if (typed.length < 2) {
    const problem = 'Type at least two characters.';
    return { status: 400, html: searchPage(desk, { ...noSearch, typed, problem }) };
  }
  const query = { search: typed, limit: String(SHOWN) };
  const { identities, next } = await api.get<IdentitiesPage>('/v1/identities', { query });
  const none = identities.length === 0;
  const problem = none ? `No name, mail or account of a person contains "${typed}".` : '';
  const found = { typed, found: identities, hasMore: next !== null, problem };
  return { status: none ? 404 : 200, html: searchPage(desk, found) };
}

async function personNamed(api: StaffVisit['api'], name: string): Promise<Overview | null> {
  try {
    return await overviewOf(api, name);
  } catch (error) {
    const { code } = asHttpProblem(error);
    if (code !== 'not_found' && code !== 'request_invalid') throw error;
    return null;
  }
}

/** Long enough for a directory; an action that takes longer goes on, and the audit shows its end. */
const ACT_WAITS = 'wait=10';

/** Orders an action, and leads to the page that shows what becomes of it. */
async function act({ api, param, field }: StaffVisit) {
  const action = oneOf(field('action'), accountActions);
  const params = { name: param('name') };
  const source = field('source');
  const body = { reason: field('reason'), ...(source === '' ? {} : { source }) };
  const headers = { prefer: ACT_WAITS };
  const answer = await api.answer('post', `/v1/identities/{name}/${action}`, {
    params,
    headers,
    body,
  });
  const { accounts } = answer.body as AccountActionAnswer;
  const jobs = accounts.map(({ job }) => job).join('.');
  return redirect(`/console/people/${encodeURIComponent(params.name)}?acted=${jobs}`);
}
