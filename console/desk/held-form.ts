import { html } from '../html';
import { type Assets, page } from '../shell';
import { hidden } from './edit';

interface HeldForm {
  /** Where the form is sent again. */
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
  /** False if the page does not hold a field, because it may be a secret. */
  readonly isComplete: boolean;
  readonly signIn: string;
  /** Whether the session has ended, or its sign-in is too old for what was ordered. */
  readonly why: 'ended' | 'tooOld';
}

const reasons = {
  ended: 'Your session has ended, so nothing was done.',
  tooOld: 'Nothing was done, because this needs a recent sign-in.',
} as const;

/** Holds what a user has typed while they sign in in another tab. No server keeps it meanwhile. */
export const heldFormPage = (
  assets: Assets,
  { action, fields, isComplete, signIn, why }: HeldForm,
): string =>
  page({
    lang: 'en',
    title: 'Sign in to continue – Lockstep',
    assets,
    header: html`<a class="brand" href="/console">Lockstep</a>`,
    main: html`<h1>Sign in to continue</h1>
<p class="verdict busy" role="status">${reasons[why]} This page holds what you have typed.</p>
${!isComplete && html`<p>It does not hold what may be a secret; type that again.</p>`}
<ol><li><p><a class="button" href="${signIn}" target="_blank" rel="noopener">Sign in in a new tab</a></p></li>
<li><p>Come back to this tab, and send it again.</p><form method="post" action="${action}">${hidden(fields)}<p><button class="primary">Send again</button></p></form></li></ol>`,
  });
