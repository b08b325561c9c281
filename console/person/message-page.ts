import { html } from '../html';
import { type Assets, page } from '../shell';
import type { Texts } from '../texts/texts';
import { personHeader } from './change-page';

/** A page with one sentence, for an address that shows nothing. */
export const messagePage = (texts: Texts, assets: Assets, title: string, says: string): string =>
  page({
    lang: texts.lang,
    title,
    assets,
    header: personHeader(texts, '/password'),
    main: html`<h1>${title}</h1><p class="verdict bad">${says}</p>`,
  });
