import { linkPage } from '../../console/person/link-page';
import { readCode } from '../../model/people/one-time-link';
import { endUse, findLink, type OpenLink, useLink } from '../../store/people/one-time-links';
import { HttpProblem } from '../http/problem';
import { LINK_PAGE } from '../people/one-time-links';
import { assets } from './assets';
import { type Attempts, countAttempts } from './attempts';
import { cookieOf, setCookie } from './browser-request';
import { type PageApi, pageApi } from './call';
import { readForm } from './form';
import { textsOf } from './languages';
import { formScopes } from './me';
import { type ConsolePage, type PageAnswer, redirect, type Visit } from './pages';
import { type PasswordForm, passwordFormPages, readKnown } from './password-form';
import { letFollow, NEW_PASSWORD } from './person';
import { personProblem } from './refusals';

/**
 * The pages of a one-time link. The code is in the fragment of the link, which browsers send to no server; a script puts
 * it into the form. Without JavaScript the person types it. Then it is in a cookie, and the link stays valid until the
 * password is set, so a mail filter that opens links does not use it up.
 */
export function linkPages(): readonly ConsolePage[] {
  const attempts = countAttempts();
  const pages: readonly Omit<ConsolePage, 'failed'>[] = [
    { method: 'get', path: LINK_PAGE, handle: async (visit) => show(visit, 200, '') },
    { method: 'post', path: LINK_PAGE, handle: (visit) => enter(visit, attempts) },
    ...passwordFormPages(NEW_PASSWORD, countAttempts(), openForm),
  ];
  return pages.map((page) => ({ ...page, failed: personProblem }));
}

const show = (visit: Visit, status: number, problem: string): PageAnswer => ({
  status,
  html: linkPage(textsOf(visit), assets, problem),
});

async function enter(visit: Visit, attempts: Attempts): Promise<PageAnswer> {
  const { deps, request } = visit;
  const texts = textsOf(visit);
  const address = request.socket.remoteAddress ?? '';
  const form = await readForm(request, []);
  if (attempts.isBlocked(address)) return show(visit, 429, texts.problems.tooMany);
  const code = readCode(form.text('code'));
  if (code === null || (await findLink(deps.db, code)) === null) {
    attempts.failed(address);
    return show(visit, 422, texts.link.invalid);
  }
  const cookie = setCookie(request, deps.settings, 'link', code);
  return redirect(`${NEW_PASSWORD}?lang=${texts.lang}`, { 'set-cookie': cookie });
}

async function openForm(visit: Visit): Promise<PasswordForm | PageAnswer> {
  const { deps, request, gone } = visit;
  const code = cookieOf(request, deps.settings, 'link');
  const link = code === null ? null : await findLink(deps.db, code);
  if (link === null) return show(visit, 422, textsOf(visit).link.invalid);
  const api = pageApi(deps, { ...link.caller, scopes: formScopes }, gone);
  return {
    api: usingUp(visit, link, api),
    known: () => readKnown(api),
    frame: { action: NEW_PASSWORD, why: 'link' },
    // The cookie stays: the code ends by itself, and is valid again if the auth account refuses the change later.
    accepted: (change) => letFollow(visit, change),
  };
}

/** The API of the form: a change that it starts uses the link up, and two requests at once start one change only. */
const usingUp = ({ deps }: Visit, { id }: OpenLink, api: PageApi): PageApi => ({
  ...api,
  answer: async (method, path, request) => {
    if (path !== '/v1/changes') return api.answer(method, path, request);
    if (!(await useLink(deps.db, id))) throw new HttpProblem('not_found');
    let changeId: string | null = null;
    try {
      const answer = await api.answer(method, path, request);
      changeId = startedBy(answer.body);
      return answer;
    } catch (error) {
      changeId = error instanceof HttpProblem ? startedBy(error.details.change) : null;
      throw error;
    } finally {
      await endUse(deps.db, id, changeId);
    }
  },
});

const startedBy = (change: unknown): string | null =>
  typeof change === 'object' && change !== null && 'id' in change ? String(change.id) : null;
