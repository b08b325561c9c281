import { madeLinkPage, mailedLinkPage, oneTimeLinkForm } from '../../console/desk/one-time-link';
import type { OneTimeLink } from '../../model/api/one-time-links';
import { asHttpProblem } from '../http/problem';
import { ownOrigin } from './browser-request';
import { overviewOf } from './desk';
import type { ConsolePage } from './pages';
import { type StaffVisit, staffPage } from './staff';

const PATH = '/console/people/:name/one-time-link';

/** The pages on which the help desk makes a one-time link. */
export const oneTimeLinkPages = (): readonly ConsolePage[] => [
  staffPage('get', PATH, showLinkForm, { needsRecentSignIn: true }),
  staffPage('post', PATH, makeLink),
];

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
