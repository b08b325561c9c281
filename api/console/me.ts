import { mePage } from '../../console/person/me-page';
import { notSignedInPage } from '../../console/person/sign-in-pages';
import type { Change } from '../../model/api/changes';
import type { Me } from '../../model/api/me';
import type { Scope } from '../../model/api/scopes';
import type { OwnSessions } from '../../model/api/sessions';
import { asHttpProblem, HttpProblem } from '../http/problem';
import { assets } from './assets';
import { countAttempts } from './attempts';
import { pageApi } from './call';
import { textsOf } from './languages';
import { type ConsolePage, type PageAnswer, redirect, type Visit } from './pages';
import { type PasswordForm, passwordFormPages, readKnown } from './password-form';
import { type Followed, progressPages } from './progress';
import { personProblem } from './refusals';
import { isBackground, isRecent, sessionOf, signOutOf } from './session';

export const HOME = '/me';

/** The pages of a person who has signed in at the identity provider. */
export const mePages = (): readonly ConsolePage[] => {
  const pages: readonly Omit<ConsolePage, 'failed'>[] = [
    { method: 'get', path: HOME, handle: home },
    { method: 'post', path: `${HOME}/sign-out`, handle: signOut },
    { method: 'post', path: `${HOME}/sessions/:id/end`, handle: endOther },
    ...passwordFormPages(`${HOME}/password`, countAttempts(), openForm),
    ...progressPages(`${HOME}/changes`, follow),
  ];
  return pages.map((page) => ({ ...page, failed: personProblem }));
};

/** The sign-in at the identity provider that leads to a page. @throws HttpProblem `not_found` without a provider */
export function signInFor(
  visit: Visit,
  to: string,
  more: Readonly<Record<string, string>> = {},
): PageAnswer {
  const { deps, request } = visit;
  if (deps.settings.provider === null || isBackground(request)) throw new HttpProblem('not_found');
  const address = `/sign-in?${new URLSearchParams({ to, ...more })}`;
  if (request.method === 'GET') return redirect(address);
  // Browsers block the redirection of a form to the provider, so the page has a link.
  const texts = textsOf(visit);
  return { status: 403, html: notSignedInPage(texts, assets, texts.signIn.tooOld, address) };
}

async function home(visit: Visit): Promise<PageAnswer> {
  const session = await sessionOf(visit, 'me');
  if (session === null) return signInFor(visit, HOME);
  const api = pageApi(visit.deps, session.caller, visit.gone);
  const [me, { sessions }] = await Promise.all([
    api.get<Me>('/v1/me'),
    api.get<OwnSessions>('/v1/me/sessions'),
  ]);
  const others = sessions.filter(({ id }) => id !== session.sessionId);
  return { status: 200, html: mePage(textsOf(visit), assets, me, others) };
}

/** Ends another session of the person. One that has ended already is not listed any more, which is what they wanted. */
async function endOther(visit: Visit): Promise<PageAnswer> {
  const session = await sessionOf(visit, 'me');
  if (session === null) return signInFor(visit, HOME);
  const api = pageApi(visit.deps, session.caller, visit.gone);
  const params = { id: String(visit.request.params.id) };
  await api.answer('delete', '/v1/me/sessions/{id}', { params }).catch((error: unknown) => {
    if (asHttpProblem(error).code !== 'not_found') throw error;
  });
  return redirect(`${HOME}?lang=${textsOf(visit).lang}`);
}

async function signOut(visit: Visit): Promise<PageAnswer> {
  return redirect(`/signed-out?lang=${textsOf(visit).lang}`, {
    'set-cookie': await signOutOf(visit, 'me'),
  });
}

/** For one form: its caller may change the password of its own person without the current one, and read `/v1/me`. */
export const formScopes: readonly Scope[] = ['person', 'trigger'];

/**
 * The form without the current password. A sign-in at the provider of the last minutes stands for it, also one without
 * any password, so this is the way for a person who has forgotten it.
 */
async function openForm(visit: Visit): Promise<PasswordForm | PageAnswer> {
  const to = `${HOME}/password`;
  const session = await sessionOf(visit, 'me');
  if (session === null || !isRecent(visit, session)) return signInFor(visit, to, { again: '1' });
  const api = pageApi(visit.deps, { ...session.caller, scopes: formScopes }, visit.gone);
  return {
    api,
    known: () => readKnown(api),
    frame: { action: to, why: 'signedIn' },
    accepted: async ({ id }) => redirect(`${HOME}/changes/${id}?lang=${textsOf(visit).lang}`),
  };
}

async function follow(visit: Visit): Promise<Followed | PageAnswer> {
  const id = String(visit.request.params.id);
  const session = await sessionOf(visit, 'me');
  if (session === null) return signInFor(visit, `${HOME}/changes/${id}`);
  const api = pageApi(visit.deps, session.caller, visit.gone);
  const read = () => api.get<Change>('/v1/me/changes/{id}', { params: { id } });
  await read();
  return { id, read, again: `${HOME}/password`, isSignedIn: true, sessionId: session.sessionId };
}
