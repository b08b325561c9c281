import { html } from '../html';
import { type Assets, page } from '../shell';
import type { Texts } from '../texts/texts';

/** The page for a sign-in at the identity provider that started no session. @param again a link to try again */
export const notSignedInPage = (
  texts: Texts,
  assets: Assets,
  says: string,
  again: string | null,
): string =>
  page({
    lang: texts.lang,
    title: texts.signIn.title,
    assets,
    header: html`<span class="brand">Lockstep</span>`,
    main: html`<h1>${texts.signIn.title}</h1><p class="verdict bad" role="alert">${says}</p>
${again !== null && html`<p><a class="button" href="${again}">${texts.signIn.again}</a></p>`}`,
  });

/** The page after a sign-out. @param end the address that also ends the session at the provider; null if it has none */
export const signedOutPage = (
  texts: Texts,
  assets: Assets,
  provider: string,
  end: string | null,
): string =>
  page({
    lang: texts.lang,
    title: texts.signIn.signedOut,
    assets,
    header: html`<span class="brand">Lockstep</span>`,
    main: html`<h1>${texts.signIn.signedOut}</h1><p class="verdict good">${texts.signIn.signedOutSays(provider)}</p>
${end !== null && html`<p><a class="button" href="${end}">${texts.signIn.endThere(provider)}</a></p>`}`,
  });
