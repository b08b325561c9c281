import type { OwnApplication } from '../../model/api/own-applications';
import { html } from '../html';
import { type Assets, page } from '../shell';
import type { Texts } from '../texts/texts';
import type { ApplicationProblem } from './application-words';
import { APPLICATIONS } from './applications-page';
import { meHeader } from './change-page';
import { shortAccount } from './progress-page';

/** The page on which a person stores the password of an application. It never shows a password again. */
export function credentialPage(
  texts: Texts,
  assets: Assets,
  { id, title: names, account }: OwnApplication,
  problem: ApplicationProblem | null,
): string {
  const t = texts.applications;
  const at = `${APPLICATIONS}/${encodeURIComponent(id ?? '')}`;
  const title = t.setTitle(names[texts.lang]);
  return page({
    lang: texts.lang,
    title: problem === null ? title : `${t.notStored} – ${title}`,
    assets,
    header: meHeader(texts, at),
    main: html`<h1>${title}</h1>
${problem !== null && html`<div class="problem" role="alert"><h2>${t.notStored}</h2><p>${t.problems[problem]}</p></div>`}
<p class="intro">${t.setIntro}</p>
<form method="post" action="${at}?lang=${texts.lang}" class="columns" autocomplete="off"><div>
<p class="field"><label for="account">${t.account}</label><input id="account" value="${shortAccount(account ?? '')}" readonly></p>
<p class="field"><label for="password">${t.password}</label>
<input id="password" name="password" type="password" required autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="password-hint">
<small class="hint" id="password-hint">${t.passwordHint}</small></p>
<div class="tools"><button class="primary">${t.submit}</button><a href="${APPLICATIONS}?lang=${texts.lang}">${t.back}</a></div></div></form>`,
  });
}
