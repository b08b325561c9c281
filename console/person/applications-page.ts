import type { OwnApplication } from '../../model/api/own-applications';
import { type Html, html } from '../html';
import { type Assets, page } from '../shell';
import type { Texts } from '../texts/texts';
import {
  type ApplicationDone,
  type ApplicationRow,
  applicationReason,
  applicationRow,
} from './application-words';
import { hintOf, meHeader } from './change-page';
import { dateAndTime, shortAccount } from './progress-page';

export const APPLICATIONS = '/me/applications';

/** The page on which a person sees for which applications a password is stored, and whether it is right. */
export const applicationsPage = (
  texts: Texts,
  assets: Assets,
  applications: readonly OwnApplication[],
  done: ApplicationDone | null,
): string =>
  page({
    lang: texts.lang,
    title: texts.applications.title,
    assets,
    header: meHeader(texts, APPLICATIONS),
    main: html`<h1>${texts.applications.title}</h1>
${done !== null && html`<p class="verdict good" role="status">${texts.applications.done[done]}</p>`}
${
  applications.length === 0
    ? html`<p>${texts.applications.none}</p>`
    : html`<p class="intro">${texts.applications.intro}</p>
<ul class="accounts">${applications.map((one) => applicationItem(texts, one))}</ul>`
}`,
  });

const looks: Readonly<Record<ApplicationRow, { readonly row: string; readonly mark: string }>> = {
  stored: { row: 'has', mark: '✓' },
  wrong: { row: 'refused', mark: '!' },
  missing: { row: 'waits', mark: '…' },
  switchedOff: { row: 'leftOut', mark: '–' },
  applicationOff: { row: 'leftOut', mark: '–' },
};

function applicationItem(texts: Texts, application: OwnApplication): Html {
  const t = texts.applications;
  const row = applicationRow(application);
  const { title, sourceTitle, account } = application;
  return html`
<li class="${looks[row].row}"><span class="mark" aria-hidden="true">${looks[row].mark}</span>
<div><p class="what"><strong>${title[texts.lang]}</strong> <span>${t.states[row]}</span></p>${hintOf(texts, application)}
<p class="hint">${sourceTitle[texts.lang]}${account !== null && `, ${shortAccount(account)}`}</p>
<p>${sentencesOf(texts, application, row).join(' ')}</p>
${actionsOf(texts, application)}</div></li>`;
}

function sentencesOf(texts: Texts, application: OwnApplication, row: ApplicationRow): string[] {
  const t = texts.applications;
  const { state, reason, storedFrom, since, follows, maySet, id } = application;
  const why = state === 'out_of_sync' ? applicationReason(reason ?? '') : null;
  const isStored = row === 'stored' || row === 'wrong';
  return [
    ...(isStored ? [t.since(dateAndTime(texts, since))] : []),
    ...(state === 'in_sync' && storedFrom !== null ? [t.storedFrom[storedFrom]] : []),
    ...(why === null ? [] : [t.reasons[why]]),
    ...(row === 'wrong' && why !== 'soon' && maySet ? [t.storeIt] : []),
    ...(row === 'stored' ? [follows ? t.follows : t.doesNotFollow] : []),
    ...(row === 'missing' ? [missingSays(t, maySet, follows)] : []),
    ...(row === 'switchedOff' && state === 'in_sync' ? [t.stored] : []),
    ...(row === 'switchedOff' ? [t.keptWhileOff] : []),
    ...(id === null ? [t.shared] : []),
    ...(id !== null && !maySet && row !== 'applicationOff' && row !== 'stored'
      ? [t.unverifiable]
      : []),
  ];
}

/** How a password comes to be stored that is not stored yet. */
function missingSays(t: Texts['applications'], maySet: boolean, follows: boolean): string {
  if (!follows) return t.doesNotFollow;
  return maySet ? t.nextChange : t.onlyNextChange;
}

function actionsOf(
  { applications: t, lang }: Texts,
  { id, title, enabled, maySet, maySwitch }: OwnApplication,
): Html | false {
  if (id === null || (!maySet && !maySwitch)) return false;
  const at = `${APPLICATIONS}/${encodeURIComponent(id)}`;
  const verb = enabled ? 'disable' : 'enable';
  // The name of the application tells equal buttons apart when they are read aloud.
  const name = html`<span class="sr"> (${title[lang]})</span>`;
  return html`<div class="tools">
${maySet && html`<a class="button" href="${at}?lang=${lang}">${t.set}${name}</a>`}
${maySwitch && html`<form method="post" action="${at}/${verb}?lang=${lang}" class="inline"><button>${enabled ? t.switchOff : t.switchOn}${name}</button></form>`}</div>`;
}
