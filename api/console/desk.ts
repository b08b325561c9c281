import { changesPage, oneChangePage } from '../../console/desk/changes';
import { nowPage } from '../../console/desk/now';
import { madeLinkPage, mailedLinkPage, oneTimeLinkForm } from '../../console/desk/one-time-link';
import { actionSays, personPage, searchPage } from '../../console/desk/people';
import { auditPage, keysPage, stalePage } from '../../console/desk/settings';
import type { AccountActionAnswer } from '../../model/api/account-actions';
import type { AuditPage, AuditRecordAnswer } from '../../model/api/audit';
import type { Change, ChangesPage } from '../../model/api/changes';
import type { ApiKeys } from '../../model/api/keys';
import type { OneTimeLink } from '../../model/api/one-time-links';
import type { Overview } from '../../model/api/overview';
import type { Presence } from '../../model/api/presence';
import type { Sessions } from '../../model/api/sessions';
import type { Sources } from '../../model/api/sources';
import type { StalePage } from '../../model/api/stale';
import { accountActions } from '../../model/people/account-actions';
import { asHttpProblem } from '../http/problem';
import { ownOrigin } from './browser-request';
import { type ConsolePage, redirect } from './pages';
import { oneOf, type StaffVisit, staffPage } from './staff';

/** The pages of operators, of the help desk and of auditors. */
export const deskPages = (): readonly ConsolePage[] => [
  staffPage('get', '/console', async ({ api, desk }) => {
    const [presence, { sources }] = await Promise.all([
      api.get<Presence>('/v1/presence'),
      api.get<Sources>('/v1/sources'),
    ]);
    const now = { presence, sources, mayOperate: api.may('operate') };
    return { status: 200, html: nowPage(desk, now) };
  }),
  staffPage('post', '/console/sources/:name/:command', async ({ api, param }) => {
    const command = oneOf(param('command'), ['pause', 'resume', 'retry', 'check']);
    await api.answer('post', `/v1/sources/{name}/${command}`, { params: { name: param('name') } });
    const isDone = command === 'pause' || command === 'resume';
    return redirect(`/console?done=${isDone ? command : 'ordered'}`);
  }),
  staffPage('get', '/console/changes', async ({ api, desk, query }) => {
    const [page, { sources }] = await Promise.all([
      api.get<ChangesPage>('/v1/changes', { query }),
      api.get<Sources>('/v1/sources'),
    ]);
    const names = sources.map(({ name }) => name);
    return { status: 200, html: changesPage(desk, { page, query, sources: names }) };
  }),
  staffPage('get', '/console/changes/:id', async ({ api, desk, param }) => {
    const params = { id: param('id') };
    const [change, { records }] = await Promise.all([
      api.get<Change>('/v1/changes/{id}', { params }),
      api.get<{ records: AuditRecordAnswer[] }>('/v1/changes/{id}/audit', { params }),
    ]);
    const one = { change, records, mayControl: api.may('control-changes') };
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
    html: searchPage(desk, ''),
  })),
  staffPage('post', '/console/people', search),
  staffPage('get', '/console/people/:name', async ({ api, desk, param }) => {
    const person = await overviewOf(api, param('name'));
    return { status: 200, html: personPage(desk, { person, mayHelp: api.may('help') }) };
  }),
  staffPage('post', '/console/people/:name/act', act),
  staffPage('get', '/console/people/:name/one-time-link', showLinkForm, {
    needsRecentSignIn: true,
  }),
  staffPage('post', '/console/people/:name/one-time-link', makeLink),
  staffPage('get', '/console/stale', async ({ api, desk, query }) => ({
    status: 200,
    html: stalePage(desk, await api.get<StalePage>('/v1/stale', { query })),
  })),
  staffPage('get', '/console/audit', async ({ api, desk, query }) => ({
    status: 200,
    html: auditPage(desk, await api.get<AuditPage>('/v1/audit', { query }), query),
  })),
  staffPage('get', '/console/keys', async ({ api, desk }) => {
    const [keys, sessions] = await Promise.all([
      api.get<ApiKeys>('/v1/keys'),
      api.get<Sessions>('/v1/sessions'),
    ]);
    return { status: 200, html: keysPage(desk, keys, sessions) };
  }),
  staffPage('post', '/console/sessions/:id/end', async ({ api, param }) => {
    await api.answer('delete', '/v1/sessions/{id}', { params: { id: param('id') } });
    return redirect('/console/keys?done=ended');
  }),
];

const overviewOf = (api: StaffVisit['api'], name: string): Promise<Overview> =>
  api.get<Overview>('/v1/identities/{name}/overview', { params: { name } });

/** Opens the page of a person. The form is posted, so that the name is in no log of a search. */
async function search({ api, desk, field }: StaffVisit) {
  const name = field('name').trim();
  try {
    const person = await overviewOf(api, name);
    return redirect(`/console/people/${encodeURIComponent(person.name)}`);
  } catch (error) {
    const { code } = asHttpProblem(error);
    if (code !== 'not_found' && code !== 'request_invalid') throw error;
    return { status: 404, html: searchPage(desk, `No person with the name "${name}" was found.`) };
  }
}

async function showLinkForm({ api, desk, param }: StaffVisit) {
  const { name: person } = await overviewOf(api, param('name'));
  return { status: 200, html: oneTimeLinkForm(desk, { person, problem: '' }) };
}

async function makeLink({ visit, api, desk, param, field }: StaffVisit) {
  const { name: person } = await overviewOf(api, param('name'));
  const comment = field('comment').trim();
  const body = {
    check: field('check'),
    reason: field('reason'),
    deliver: field('deliver') || 'agent',
    ...(comment === '' ? {} : { comment }),
  };
  const params = { name: person };
  try {
    const made = await api.answer('post', '/v1/identities/{name}/one-time-link', { params, body });
    const { page: path, code, sentTo, expiresAt } = made.body as OneTimeLink;
    if (code === null)
      return { status: 201, html: mailedLinkPage(desk, { person, sentTo, expiresAt }) };
    const page = new URL(path, ownOrigin(visit.request, visit.deps.settings)).href;
    const link = { person, link: `${page}#${code}`, page, code, expiresAt };
    return { status: 201, html: madeLinkPage(desk, link) };
  } catch (error) {
    const { code, details } = asHttpProblem(error);
    if (code !== 'request_invalid') throw error;
    const problem = (details.issues ?? []).map(({ path, says }) => `${path.at(-1)}: ${says}.`);
    return { status: 422, html: oneTimeLinkForm(desk, { person, problem: problem.join(' ') }) };
  }
}

/** Long enough for a directory; an action that takes longer goes on, and the audit shows its end. */
const ACT_WAITS = 'wait=10';

async function act({ api, desk, param, field }: StaffVisit) {
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
  const person = await overviewOf(api, params.name);
  const view = { person, mayHelp: true };
  return { status: 200, html: personPage({ ...desk, done: actionSays(accounts) }, view) };
}
