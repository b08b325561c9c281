import type { Me } from '../../model/api/me';
import type { AccountOverview } from '../../model/api/overview';
import type { OwnSessions } from '../../model/api/sessions';
import { type Html, html } from '../html';
import { type Assets, page } from '../shell';
import type { Texts } from '../texts/texts';
import { hintOf, meHeader } from './change-page';
import type { PersonNotice } from './own-notices';
import { dateAndTime, shortAccount } from './progress-page';
import { openReason, personObstacle } from './reasons';

/**
 * The page of a person: the own accounts, changes and notices.
 * @param others the open sessions in other browsers
 */
export const mePage = (
  texts: Texts,
  assets: Assets,
  me: Me,
  others: OwnSessions['sessions'],
): string =>
  page({
    lang: texts.lang,
    title: texts.me.title,
    assets,
    header: meHeader(texts, '/me'),
    main: html`<h1>${texts.me.title}</h1>
<p class="intro">${texts.me.hello(me.name)}</p>
<p><a class="button primary" href="/me/password?lang=${texts.lang}">${texts.me.change}</a></p>
<p class="hint">${texts.me.changeHint}</p>
${me.accounts.length === 0 ? html`<p>${texts.me.noAccounts}</p>` : html`<ul class="accounts">${me.accounts.map((account) => accountRow(texts, account))}</ul>`}
<h2>${texts.me.changes}</h2>${me.changes.length === 0 ? html`<p>${texts.me.noChanges}</p>` : html`${changeList(texts, me)}<p class="hint">${texts.me.notMe}</p>`}
<h2>${texts.me.notices}</h2>${me.notices.length === 0 ? html`<p>${texts.me.noNotices}</p>` : noticeList(texts, me)}
<h2>${texts.me.sessions}</h2>${others.length === 0 ? html`<p>${texts.me.noSessions}</p>` : sessionList(texts, others)}`,
  });

const sessionList = (texts: Texts, others: OwnSessions['sessions']): Html =>
  html`<ul class="sessions">${others.map(
    ({ id, createdAt, seenAt }) =>
      html`<li>${texts.me.session(dateAndTime(texts, createdAt), dateAndTime(texts, seenAt))} <form method="post" action="/me/sessions/${id}/end?lang=${texts.lang}" class="inline"><button>${texts.me.endSession}</button></form></li>`,
  )}</ul>
<p class="hint">${texts.me.sessionHint}</p>`;

const rows = { newest: 'has', older: 'waits', unknown: 'leftOut' } as const;
const marks = { newest: '✓', older: '↻', unknown: '–' } as const;

function accountRow(texts: Texts, account: AccountOverview): Html {
  const { holds, held, open, stale, signInPrevented } = account;
  const t = texts.me;
  const reason =
    open === null ? personObstacle(signInPrevented) : openReason(open.state, open.reason);
  const newest = holds === 'newest' ? held : null;
  const sentences = [
    ...(newest === null ? [] : [t.since(dateAndTime(texts, newest.since))]),
    ...(newest === null || newest.proof === 'none' ? [] : [t.verified]),
    ...(reason === null ? [] : [texts.reasons[reason]]),
    ...(open?.nextTryAt ? [texts.progress.nextTry(dateAndTime(texts, open.nextTryAt))] : []),
    ...(stale !== null && open === null ? [t.behind] : []),
  ];
  return html`
<li class="${rows[holds]}"><span class="mark" aria-hidden="true">${marks[holds]}</span>
<div><p class="what"><strong>${account.title[texts.lang]}</strong> <span>${t.holds[account.holdsNow]}</span></p>
<p class="hint">${shortAccount(account.account)}</p>
${hintOf(texts, account)}
${sentences.length > 0 && html`<p>${sentences.join(' ')}</p>`}</div></li>`;
}

const timeOf = (texts: Texts, at: Date): Html =>
  html`<time datetime="${at.toISOString()}">${dateAndTime(texts, at)}</time>`;

const changeList = (texts: Texts, { changes }: Me): Html =>
  html`<ul>${changes.map(
    ({ id, state, createdAt }) =>
      html`<li><a href="/me/changes/${id}?lang=${texts.lang}">${timeOf(texts, createdAt)}</a>: ${texts.me.changeStates[state]}</li>`,
  )}</ul>`;

const noticeList = (texts: Texts, { notices }: Me): Html =>
  html`<ul>${notices.flatMap(({ at, kind, delivered }) => {
    const says = noticeSays(texts, kind);
    if (says === null) return [];
    return [html`<li>${timeOf(texts, at)}: ${says} ${!delivered && texts.me.notDelivered}</li>`];
  })}</ul>`;

const noticeSays = ({ me }: Texts, kind: string): string | null =>
  Object.hasOwn(me.noticeKinds, kind) ? me.noticeKinds[kind as PersonNotice] : null;
