import { notSignedInPage, signedOutPage } from '../../../console/person/sign-in-pages';
import { rulesIn } from '../../../intake/find-person';
import { log } from '../../../log';
import type { Scope } from '../../../model/api/scopes';
import {
  type Claims,
  claimedIdentity,
  claimedName,
  isPerson,
  type SignInSettings,
  staffRights,
} from '../../../model/configuration/sign-in';
import { findIdentity, type IdentityView } from '../../../store/people/identities';
import { revokeProviderUser, saveProviderUser } from '../../../store/provider-users';
import type { Dependencies } from '../../http/dependencies';
import { HttpProblem } from '../../http/problem';
import { assets } from '../assets';
import { cookieOf, ownOrigin, setCookie } from '../browser-request';
import { queryOf } from '../call';
import { textsOf } from '../languages';
import { type ConsolePage, type PageAnswer, redirect, type Visit } from '../pages';
import { type SessionCookie, signInAs } from '../session';
import { isAnswerTo, isForStaff, newAttempt, ownPage, readAttempt } from './attempt';
import type { Provider } from './provider';

const CALLBACK = '/sign-in/callback';

/**
 * Sign-in at the identity provider. It starts by a link, because browsers apply `form-action` to the redirections that
 * follow a form.
 */
export const providerPages = (): readonly ConsolePage[] => {
  const pages: readonly Omit<ConsolePage, 'failed' | 'method'>[] = [
    { path: '/sign-in', handle: (visit) => start(visit, providerOf(visit)) },
    { path: CALLBACK, handle: (visit) => finish(visit, providerOf(visit)) },
    { path: '/signed-out', handle: (visit) => signedOut(visit, providerOf(visit)) },
  ];
  return pages.map((page) => ({ ...page, method: 'get', failed }));
};

/** @throws HttpProblem `not_found` without a provider, so that the pages do not exist */
function providerOf({ deps: { settings } }: Visit): Provider {
  if (settings.provider === null) throw new HttpProblem('not_found');
  return settings.provider;
}

const failed: ConsolePage['failed'] = (visit, { code }) => {
  const texts = textsOf(visit);
  if (code === 'not_found')
    return { status: 404, html: notSignedInPage(texts, assets, texts.problems.notFound, null) };
  const { deps, request } = visit;
  const { to } = queryOf(request);
  // The answer of the provider does not name the page; the cookie of the attempt does.
  const attempt = readAttempt(cookieOf(request, deps.settings, 'sign-in'));
  const page = to === undefined ? (attempt?.to ?? '/me') : ownPage(to);
  const again = `/sign-in?to=${encodeURIComponent(page)}`;
  return { status: 503, html: notSignedInPage(texts, assets, texts.signIn.failed, again) };
};

async function start(visit: Visit, provider: Provider): Promise<PageAnswer> {
  const { deps, request } = visit;
  const { to = '', again } = queryOf(request);
  const attempt = newAttempt(ownPage(to), again === '1');
  const cookie = setCookie(request, deps.settings, 'sign-in', attempt.cookie);
  const url = await asked(visit, provider.startUrl(attempt, callbackOf(visit)));
  return redirect(url, { 'set-cookie': cookie });
}

const callbackOf = ({ deps, request }: Visit): string =>
  `${ownOrigin(request, deps.settings)}${CALLBACK}`;

/** Checks the answer of the provider, and starts the session that it allows. */
async function finish(visit: Visit, provider: Provider): Promise<PageAnswer> {
  const { deps, request } = visit;
  const attempt = readAttempt(cookieOf(request, deps.settings, 'sign-in'));
  const returned = new URL(request.originalUrl, 'http://localhost');
  if (attempt === null || !isAnswerTo(attempt, returned.searchParams.get('state')))
    return refused(visit, 'notStarted', attempt?.to ?? '/me');
  const address = new URL(`${callbackOf(visit)}${returned.search}`);
  const claims = await asked(visit, provider.finish(attempt, address));
  const granted = isForStaff(attempt.to)
    ? asStaff(provider.settings, claims)
    : await asPerson(deps, provider.settings, claims);
  const { issuer } = provider.settings;
  const who = { issuer, subject: String(claims.sub) };
  if (granted === null) {
    const isStaff = isForStaff(attempt.to);
    await revokeProviderUser(deps.db, who, isStaff);
    return refused(visit, isStaff ? 'noRole' : 'noPerson', attempt.to);
  }
  const { cookie, ...rights } = granted;
  const user = { ...who, ...rights };
  const caller = await saveProviderUser(deps.db, user);
  const { auth_time: at } = claims;
  const session = await signInAs(visit, cookie, caller, {
    authenticated: typeof at === 'number' ? new Date(at * 1000) : null,
    detail: {
      scopes: rights.scopes.join(' '),
      ...(rights.identityId === null ? {} : { identity: rights.identityId }),
    },
  });
  const used = setCookie(request, deps.settings, 'sign-in', null);
  return redirect(attempt.to, { 'set-cookie': [session, used] });
}

interface Granted {
  readonly cookie: SessionCookie;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly groups: readonly string[] | null;
  readonly identityId: string | null;
}

function asStaff(settings: SignInSettings, claims: Claims): Granted | null {
  const rights = staffRights(settings, claims);
  if (rights === null) return null;
  return { cookie: 'session', name: claimedName(settings, claims), identityId: null, ...rights };
}

async function asPerson(
  deps: Dependencies,
  settings: SignInSettings,
  claims: Claims,
): Promise<Granted | null> {
  const identity = isPerson(settings, claims) ? await identityOf(deps, settings, claims) : null;
  if (identity === null) return null;
  const { id: identityId, name } = identity;
  return { cookie: 'me', name, scopes: ['person'], groups: null, identityId };
}

async function identityOf(
  deps: Dependencies,
  settings: SignInSettings,
  claims: Claims,
): Promise<IdentityView | null> {
  const claimed = claimedIdentity(settings, claims);
  if (claimed === null) return null;
  const { identitySource: source } = settings;
  if (source === undefined) return findIdentity(deps.db, { name: claimed });
  const { configuration } = await deps.configuration();
  const { naming } = rulesIn(configuration, source);
  return findIdentity(deps.db, { source, account: claimed, naming });
}

function refused(visit: Visit, why: 'notStarted' | 'noRole' | 'noPerson', to: string): PageAnswer {
  const texts = textsOf(visit);
  const again = `/sign-in?to=${encodeURIComponent(to)}`;
  return { status: 403, html: notSignedInPage(texts, assets, texts.signIn[why], again) };
}

/**
 * The answer of the provider. The log has the code of a failure only: its message may quote the token that failed.
 * @throws HttpProblem `unreachable`
 */
async function asked<T>({ response }: Visit, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const { code, error: reason } = error as { code?: unknown; error?: unknown };
    log.warn('a sign-in at the identity provider failed', {
      requestId: response.locals.requestId,
      reason: typeof reason === 'string' && /^[a-z_]{1,60}$/.test(reason) ? reason : String(code),
      error,
    });
    throw new HttpProblem('unreachable');
  }
}

async function signedOut(visit: Visit, provider: Provider): Promise<PageAnswer> {
  const { deps, request } = visit;
  const back = `${ownOrigin(request, deps.settings)}/signed-out`;
  const end = await provider.endUrl(back).catch(() => null);
  const { title } = provider.settings;
  return { status: 200, html: signedOutPage(textsOf(visit), assets, title, end) };
}
