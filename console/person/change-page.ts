import type { GroupRules } from '../../model/api/password-rules';
import type { Described } from '../../model/configuration/titles';
import { type Html, html } from '../html';
import { type Assets, page } from '../shell';
import type { Texts } from '../texts/texts';
import { passwordRulesAttribute, type RuleName, type RuleRow, ruleRows } from './rule-rows';

/** What the page shows again after a refusal. It never shows a password again. */
export interface ChangeForm {
  /** Where the form is sent. Its script asks below this address about lists. */
  readonly action: string;
  /** Why no current password is needed; null if the form asks for the user name and the current password. */
  readonly why: 'signedIn' | 'link' | null;
  /** Whether a person who has forgotten the password can sign in at an identity provider. */
  readonly maySignIn: boolean;
  readonly userName: string;
  /** The groups that share one auth source: a change covers them together. */
  readonly chosen: readonly GroupRules[];
  /** All groups, by auth source. The person chooses if there is more than one. */
  readonly choices: readonly (readonly GroupRules[])[];
  readonly problem: string | null;
  /** The sentences of broken rules. */
  readonly broken: readonly string[];
}

/** The page on which a person chooses a new password. */
export function changePage(texts: Texts, assets: Assets, form: ChangeForm): string {
  const t = texts.change;
  return page({
    lang: texts.lang,
    title: form.problem === null ? t.title : `${texts.problems.title} – ${t.title}`,
    assets,
    script: 'change',
    header:
      form.why === 'signedIn' ? meHeader(texts, form.action) : personHeader(texts, form.action),
    main: html`
<h1>${t.title}</h1>
${form.problem !== null && problemBox(texts, form)}
<p class="intro">${t.intro}${form.why !== null && ` ${t.withoutCurrent[form.why]}`}</p>
${form.choices.length > 1 && choiceOf(texts, form)}
<div class="columns">
${formOf(texts, form)}
<aside aria-labelledby="covers"><h2 id="covers">${t.coversTitle}</h2>
<ul class="covers">${coveredBy(form.chosen).map(
      ({ title, hint, isFirst }) =>
        html`<li>${title[texts.lang]}${isFirst && html` <small>${t.first}</small>`}${hintOf(texts, { hint })}</li>`,
    )}</ul>
<p class="hint">${t.covers}</p>
${form.why === null && forgotten(texts, form)}</aside>
</div>`,
  });
}

/** What a person does who has forgotten the password. */
const forgotten = ({ change: t, lang }: Texts, { maySignIn }: ChangeForm): Html => html`
<h2>${t.forgottenTitle}</h2>
${maySignIn && html`<p>${t.forgottenSignIn} <a href="/me/password?lang=${lang}">${t.forgottenSignInLink}</a></p>`}
<p>${t.forgottenHelpDesk} <a href="/password/link?lang=${lang}">${t.forgottenCode}</a></p>`;

/** The hint of a source below its title; nothing if it has none. */
export const hintOf = ({ lang }: Texts, { hint }: Pick<Described, 'hint'>): Html | null =>
  hint === null ? null : html`<p class="hint">${hint[lang]}</p>`;

export const personHeader = ({ otherLanguage: { lang, name } }: Texts, address: string): Html =>
  html`<span class="brand">Lockstep</span>
<nav><a href="${address}?lang=${lang}" hreflang="${lang}" lang="${lang}">${name}</a></nav>`;

/** The header of the pages of a person who has signed in. */
export const meHeader = (texts: Texts, address: string): Html => {
  const { otherLanguage: other, me, applications, change, lang } = texts;
  const link = (href: string, title: string) =>
    html`<a href="${href}?lang=${lang}"${href === address && html` aria-current="page"`}>${title}</a>`;
  return html`<span class="brand">Lockstep</span>
<nav aria-label="${me.title}">${link('/me', me.title)}${link('/me/applications', applications.title)}${link('/me/password', change.title)}
<a href="${address}?lang=${other.lang}" hreflang="${other.lang}" lang="${other.lang}">${other.name}</a>
<form method="post" action="/me/sign-out?lang=${lang}" class="inline"><button>${me.signOut}</button></form></nav>`;
};

const problemBox = ({ problems }: Texts, { problem, broken }: ChangeForm): Html => html`
<div class="problem" role="alert"><h2>${problems.title}</h2><p>${problem}</p>
${broken.length > 0 && html`<ul>${broken.map((says) => html`<li>${says}</li>`)}</ul>`}</div>`;

const choiceOf = ({ change, lang }: Texts, { action, choices, chosen }: ChangeForm): Html => html`
<nav class="choice" aria-label="${change.which}"><p>${change.which}</p><ul>${choices.map(
  (groups) => {
    const [first] = groups;
    const current = first?.name === chosen[0]?.name;
    return html`<li><a href="${action}?lang=${lang}&amp;group=${encodeURIComponent(first?.name ?? '')}"${current && html` aria-current="true"`}>${groups.map(({ title }) => title[lang]).join(', ')}</a></li>`;
  },
)}</ul></nav>`;

function formOf(texts: Texts, { action, why, userName, chosen }: ChangeForm): Html {
  const t = texts.change;
  const rows = ruleRows(chosen);
  return html`
<form method="post" action="${action}?lang=${texts.lang}" id="change" autocomplete="on"
 data-check="${action}/check" data-groups="${JSON.stringify(chosen)}" data-all-met="${t.allMet}" data-some-unmet="${t.someUnmet}">
<input type="hidden" name="group" value="${chosen[0]?.name ?? ''}">
<p class="field"><label for="username">${t.userName}</label>
<input id="username" name="username" type="text" autocomplete="username" autocapitalize="none" spellcheck="false" required${why !== null && html` readonly`} value="${userName}"></p>
${why === null && currentField(texts)}
<div class="field"><label for="next">${t.next}</label>
<span class="with-button"><input id="next" name="next" type="password" autocomplete="new-password" autocapitalize="none" spellcheck="false" required aria-describedby="rules-title" passwordrules="${passwordRulesAttribute(chosen)}">
<button type="button" id="show" aria-controls="next" hidden data-show="${t.show}" data-hide="${t.hide}" data-shown="${t.shown}" data-hidden="${t.hidden}">${t.show}</button></span>
<span class="sr" role="status" id="shown"></span>
<button type="button" id="suggest" class="link" hidden data-says="${t.suggested}">${t.suggest}</button></div>
<section aria-labelledby="rules-title"><h2 id="rules-title">${t.rulesTitle}</h2>
<ul class="rules" id="rules" data-met="${t.met}" data-unmet="${t.unmet}" data-later="${t.later}">${rows.map((row) => ruleRow(texts, row))}</ul>
<p role="status" id="summary"></p></section>
<p><button type="submit" class="primary">${t.submit}</button></p>
</form>`;
}

const currentField = ({ change: t }: Texts): Html => html`
<p class="field"><label for="current">${t.current}</label>
<input id="current" name="current" type="password" autocomplete="current-password" required aria-describedby="current-hint">
<small class="hint" id="current-hint">${t.currentHint}</small></p>`;

const ruleRow = (texts: Texts, row: RuleRow): Html => html`
<li data-rule="${row.rule}" data-source="${row.source ?? ''}" data-checked="${row.checked ? 'here' : 'later'}">${ruleText(texts, row)} <span class="state">${row.checked ? '' : texts.change.later}</span></li>`;

function ruleText(texts: Texts, { rule, value, title }: RuleRow): string {
  const says = texts.rules[rule](value);
  return title === null ? says : texts.onlyIn(title[texts.lang], says);
}

/** The sentence of a rule that the API reports as broken, in the language of the person. */
export function brokenSays(
  texts: Texts,
  groups: readonly GroupRules[],
  { rule, says }: { readonly rule: string; readonly says: string },
): string {
  const name = (rule === 'dictionary' || rule === 'blocklist' ? 'lists' : rule) as RuleName;
  const row = ruleRows(groups).find((one) => one.rule === name && one.source === null);
  const text = Object.hasOwn(texts.rules, name) ? texts.rules[name](row?.value ?? '') : says;
  return `${texts.change.rulesTitle} … ${text}`;
}

function coveredBy(groups: readonly GroupRules[]) {
  const auth = groups[0]?.authSource;
  const sources = new Map(
    groups.flatMap((group) => group.sources.map((source) => [source.source, source] as const)),
  );
  return [...sources.values()]
    .map((source) => ({ ...source, isFirst: source.source === auth }))
    .sort((one, other) => Number(other.isFirst) - Number(one.isFirst));
}
