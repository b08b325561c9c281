import { html } from '../html';
import { type Assets, page } from '../shell';
import type { Texts } from '../texts/texts';
import { personHeader } from './change-page';

/** The page on which a person enters the code of a one-time link. Its script takes the code from the address. */
export const linkPage = (texts: Texts, assets: Assets, problem: string): string =>
  page({
    lang: texts.lang,
    title: texts.link.title,
    assets,
    script: 'link',
    header: personHeader(texts, '/password/link'),
    main: html`<h1>${texts.link.title}</h1>
${problem !== '' && html`<div class="problem" role="alert"><p>${problem}</p></div>`}
<p class="intro">${texts.link.intro}</p>
<form method="post" action="/password/link?lang=${texts.lang}" id="link" class="columns"><div>
<p class="field"><label for="code">${texts.link.code}</label>
<input id="code" name="code" type="text" required autocomplete="one-time-code" autocapitalize="characters" spellcheck="false" data-1p-ignore aria-describedby="code-hint">
<small class="hint" id="code-hint">${texts.link.codeHint}</small></p>
<p><button class="primary">${texts.link.submit}</button></p></div></form>`,
  });
