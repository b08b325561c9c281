import {
  goneLinkPage,
  madeLinkPage,
  mailedLinkPage,
  oneTimeLinkForm,
} from '../../console/desk/one-time-link';
import type { OneTimeLink } from '../../model/api/one-time-links';
import { readCode } from '../../model/people/one-time-link';
import { findLink } from '../../store/people/one-time-links';
import { asHttpProblem } from '../http/problem';
import { LINK_PAGE } from '../people/one-time-links';
import { ownOrigin } from './browser-request';
import { overviewOf } from './desk';
import { handTo } from './handed';
import { type ConsolePage, type PageAnswer, redirect } from './pages';
import { type StaffVisit, staffPage } from './staff';

const PATH = '/console/people/:name/one-time-link';

/** The pages on which the help desk makes a one-time link. */
export const oneTimeLinkPages = (): readonly ConsolePage[] => [
  staffPage('get', PATH, showLinkForm, { needsRecentSignIn: true }),
  staffPage('post', PATH, makeLink, { keeps: ['check', 'reason', 'deliver', 'comment'] }),
  staffPage('get', `${PATH}/made`, showLink),
];

async function showLinkForm({ api, desk, param, handed }: StaffVisit) {
  const { name: person } = await overviewOf(api, param('name'));
  const typed = (name: string) => handed?.[name] ?? '';
  return { status: 200, html: oneTimeLinkForm(desk, { person, typed, problem: '' }) };
}

async function makeLink({ visit, api, desk, param, field }: StaffVisit): Promise<PageAnswer> {
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
    const { code, sentTo, expiresAt } = made.body as OneTimeLink;
    const page = `/console/people/${encodeURIComponent(person)}/one-time-link/made`;
    const mailed = { sentTo: sentTo ?? '', until: expiresAt.toISOString() };
    return redirect(page, handTo(visit, page, code === null ? mailed : { code }));
  } catch (error) {
    const { code, details } = asHttpProblem(error);
    if (code !== 'request_invalid') throw error;
    const problem = (details.issues ?? []).map(({ path, says }) => `${path.at(-1)}: ${says}.`);
    const form = { person, typed: field, problem: problem.join(' ') };
    return { status: 422, html: oneTimeLinkForm(desk, form) };
  }
}

/** The link that was just made, once. Only a link of this agent that is still valid is shown. */
async function showLink({ visit, api, desk, param, handed }: StaffVisit): Promise<PageAnswer> {
  const { name: person } = await overviewOf(api, param('name'));
  const { sentTo = '', until = '' } = handed ?? {};
  if (sentTo !== '') {
    const expiresAt = new Date(until);
    return { status: 200, html: mailedLinkPage(desk, { person, sentTo, expiresAt }) };
  }
  const code = readCode(handed?.code ?? '');
  const link = code === null ? null : await findLink(visit.deps.db, code);
  if (code === null || link === null || link.caller.keyId !== api.caller.keyId)
    return { status: 200, html: goneLinkPage(desk, person) };
  const page = new URL(LINK_PAGE, ownOrigin(visit.request, visit.deps.settings)).href;
  const shown = { person, link: `${page}#${code}`, page, code, expiresAt: link.expiresAt };
  return { status: 200, html: madeLinkPage(desk, shown) };
}
