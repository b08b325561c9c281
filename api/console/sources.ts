import { type PreviewView, previewPage } from '../../console/desk/preview';
import { sourcePage } from '../../console/desk/source';
import type { Finding, SourceCheck } from '../../model/api/job-results';
import type { Job } from '../../model/api/jobs';
import type { SourceHistories } from '../../model/api/source-history';
import type { Sources, Waiting } from '../../model/api/sources';
import { HttpProblem } from '../http/problem';
import type { PageApi } from './call';
import { type ConsolePage, type PageAnswer, redirect } from './pages';
import { pageOf } from './sign-in-address';
import { oneOf, type StaffVisit, staffPage } from './staff';

/** The pages of one source: its state and history, and the commands for it. */
export const sourcePages = (): readonly ConsolePage[] => [
  staffPage('get', '/console/sources/:name', showSource),
  staffPage('post', '/console/sources/:name/check', checkSource),
  staffPage('get', '/console/sources/:name/:verb', preview),
  staffPage('post', '/console/sources/:name/:verb', async (staff) => {
    const { visit, api, param, field } = staff;
    const commands = ['pause', 'resume', 'refresh', ...verbs] as const;
    const command = oneOf(param('verb'), commands);
    const [name, reason, perSecond] = [param('name'), field('reason'), field('perSecond')];
    const body = {
      ...(reason === '' ? {} : { reason }),
      ...(perSecond === '' ? {} : { perSecond: Number(perSecond) }),
    };
    const grown = isVerb(command) ? await grownPreview(staff, command) : null;
    if (grown !== null) return grown;
    // A source that is down is not resumed, but probed.
    const before = command === 'resume' ? await readSource(api, name) : null;
    const isEmpty = Object.keys(body).length === 0;
    await api.answer('post', `/v1/sources/{name}/${command}`, {
      params: { name },
      body: isEmpty ? undefined : body,
    });
    const isDone = command === 'pause' || (command === 'resume' && before?.state === 'paused');
    const isFromNow = /^\/console(\?|$)/.test(pageOf(visit));
    const back = isFromNow ? '/console' : `/console/sources/${encodeURIComponent(name)}`;
    return redirect(`${back}?done=${isDone ? command : 'ordered'}`);
  }),
];

async function showSource({ api, desk, param, query }: StaffVisit): Promise<PageAnswer> {
  const name = param('name');
  const [source, { groups }, history, findings] = await Promise.all([
    readSource(api, name),
    readWaiting(api, name),
    api.get<SourceHistories>('/v1/source-history', { query: { source: name } }),
    readFindings(api, name, query.check ?? ''),
  ]);
  const rights = { mayOperate: api.may('operate'), mayConfigure: api.may('configure') };
  const view = { source, groups, history, findings, ...rights };
  return { status: 200, html: sourcePage(desk, view) };
}

/** Waits for the result of a check as long as people wait for a page. */
const CHECK_WAITS = 'wait=30';

/** Has a worker check the source, and leads to the page that shows what it has found. */
async function checkSource({ api, param }: StaffVisit): Promise<PageAnswer> {
  const name = param('name');
  const headers = { prefer: CHECK_WAITS };
  const params = { name };
  const { body } = await api.answer('post', '/v1/sources/{name}/check', { params, headers });
  const page = `/console/sources/${encodeURIComponent(name)}`;
  // The answer is the finished job, or only the id of a job that has not ended.
  const { id, result } = body as Partial<Job>;
  const isDone = id !== undefined && findingsIn(result) !== null;
  return redirect(isDone ? `${page}?check=${id}` : `${page}?done=ordered`);
}

/** What a finished check of this source has found; null if there is none with this id. */
async function readFindings(api: PageApi, source: string, id: string) {
  if (id === '' || !api.may('operate')) return null;
  const job = await api.get<Job>('/v1/jobs/{id}', { params: { id } });
  return job.kind === 'check' && job.source === source ? findingsIn(job.result) : null;
}

const findingsIn = (result: unknown): readonly Finding[] | null =>
  typeof result === 'object' && result !== null && 'findings' in result
    ? (result as SourceCheck).findings
    : null;

const verbs = ['retry', 'park', 'cancel'] as const;

const isVerb = (command: string): command is (typeof verbs)[number] =>
  verbs.some((verb) => verb === command);

async function preview(staff: StaffVisit): Promise<PageAnswer> {
  const verb = staff.param('verb');
  // The other commands have no preview; a browser that goes back opens their address.
  if (!isVerb(verb)) return redirect(`/console/sources/${encodeURIComponent(staff.param('name'))}`);
  if (!staff.api.may('operate')) throw new HttpProblem('forbidden');
  const view = await reachedBy(staff, verb, staff.query.reason ?? '');
  return { status: 200, html: previewPage(staff.desk, view) };
}

/** The preview again, if the command would reach more accounts than it named; null if it may be carried out. */
async function grownPreview(
  staff: StaffVisit,
  verb: (typeof verbs)[number],
): Promise<PageAnswer | null> {
  const named = staff.field('count');
  if (named === '') return null;
  const view = await reachedBy(staff, verb, staff.field('reason'));
  const count = view.groups.reduce((sum, { accounts }) => sum + accounts, 0);
  if (count <= Number(named)) return null;
  return { status: 409, html: previewPage(staff.desk, { ...view, hasGrown: true }) };
}

async function reachedBy(
  { api, param }: StaffVisit,
  verb: (typeof verbs)[number],
  reason: string,
): Promise<PreviewView> {
  const name = param('name');
  const [source, { groups }] = await Promise.all([readSource(api, name), readWaiting(api, name)]);
  const reached = groups.filter(
    (group) =>
      (reason === '' || group.reason === reason) && (verb !== 'park' || group.state === 'waiting'),
  );
  return { source, verb, reason, groups: reached };
}

async function readSource(api: PageApi, name: string) {
  const { sources } = await api.get<Sources>('/v1/sources');
  const source = sources.find((one) => one.name === name);
  if (source === undefined) throw new HttpProblem('not_found');
  return source;
}

const readWaiting = (api: PageApi, name: string) =>
  api.get<Waiting>('/v1/sources/{name}/waiting', { params: { name } });
