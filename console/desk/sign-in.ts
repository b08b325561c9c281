import { html } from '../html';
import { type Assets, page } from '../shell';
import { type Desk, deskPage } from './shell';

interface SignIn {
  /** The name of the identity provider; null if there is none. */
  readonly title: string | null;
  /** The page to which the sign-in leads. */
  readonly to: string;
  /** True if the user has a session, and has to confirm who they are. */
  readonly isAgain: boolean;
  /** True if a form came after the session had ended. */
  readonly hasEnded: boolean;
}

/** The page on which staff sign in, at the identity provider or with an API key. */
export const signInPage = (
  assets: Assets,
  { title, to, isAgain, hasEnded }: SignIn,
  problem: string,
): string =>
  page({
    lang: 'en',
    title: 'Sign in – Lockstep',
    assets,
    header: html`<span class="brand">Lockstep</span><nav aria-label="People"><a href="/password">Change a password</a></nav>`,
    main: html`<h1>${isAgain ? 'Sign in again' : 'Sign in'}</h1>
${isAgain && html`<p class="intro">What you want to do needs a recent sign-in. Then you are back on the page.</p>`}
${hasEnded && html`<p class="verdict busy" role="status">Your session had ended, so nothing was done. After the sign-in you are back on the page.</p>`}
${problem !== '' && html`<div class="problem" role="alert"><p>${problem}</p></div>`}
${title !== null && html`<p><a class="button primary" href="/sign-in?to=${encodeURIComponent(to)}${isAgain && '&again=1'}">Sign in with ${title}</a></p>`}
<form method="post" action="/console/sign-in${isAgain && '?again=1'}" class="columns"><div>
${title !== null && html`<h2>Or with an API key</h2>`}
<input type="hidden" name="to" value="${to}">
<p class="field"><label for="key">API key</label><input id="key" name="key" type="password" required autocomplete="off" data-1p-ignore aria-describedby="key-hint">
<small class="hint" id="key-hint">An administrator makes keys with "lockstep keys create". The session has the rights of the key, and lasts eight hours at most.</small></p>
<p><button${title === null && html` class="primary"`}>Sign in</button></p></div></form>`,
  });

/** The page for a command that needs a recent sign-in. */
export const signInAgainPage = (desk: Desk, href: string): string =>
  deskPage(desk, {
    title: 'Sign in again',
    address: '',
    content: html`<p class="verdict busy">Nothing was done. This needs a recent sign-in.</p>
<p><a class="button primary" href="${href}">Sign in again</a></p>`,
  });
