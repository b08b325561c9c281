import type { Change, ChangeAccount } from '../../model/api/changes';
import type { ChangeState } from '../../model/change/change';
import type { HeadlineCode } from '../../model/change/headline';
import { isSettled, type OutcomeState } from '../../model/change/outcome';
import { type Html, html } from '../html';
import { type Assets, page } from '../shell';
import type { Texts } from '../texts/texts';
import { hintOf, meHeader, personHeader } from './change-page';
import { openReason, type PersonReason, personObstacle, personReason } from './reasons';

type Row = keyof Texts['progress']['states'];

const rowOf: Readonly<Record<OutcomeState, Row>> = {
  pending: 'writing',
  applying: 'writing',
  waiting: 'waits',
  parked: 'parked',
  applied: 'has',
  rejected: 'refused',
  expired: 'refused',
  superseded: 'notTried',
  cancelled: 'notTried',
  not_attempted: 'notTried',
  not_applicable: 'leftOut',
};

const marks: Readonly<Record<Row, string>> = {
  has: '✓',
  writing: '…',
  waits: '↻',
  parked: '↻',
  refused: '✕',
  leftOut: '–',
  notTried: '–',
};

/** How the page is reached, and when it is shown. */
interface Shown {
  readonly address: string;
  /** The page on which the person changes the password again. */
  readonly again: string;
  readonly isSignedIn: boolean;
  readonly now: Date;
}

/**
 * The page that shows a person what became of a change. Without a sign-in, the accounts are shown only after the auth
 * account has accepted the current password, so that a stranger who knows the user name learns nothing.
 */
export function progressPage(
  texts: Texts,
  assets: Assets,
  change: Change,
  { address, again, isSignedIn, now }: Shown,
): string {
  const t = texts.progress;
  const isOpen = change.endedAt === null;
  const showsAccounts = isSignedIn || isVerified(change);
  return page({
    lang: texts.lang,
    title: t.title,
    assets,
    ...(isOpen ? { script: 'live' as const, refreshSeconds: 5 } : {}),
    header: isSignedIn ? meHeader(texts, address) : personHeader(texts, address),
    main: html`
<h1>${t.title}</h1>
<p class="verdict ${toneOf(change)}" role="status" id="verdict">${verdictOf(texts, change)}</p>
${isOpen && html`<p class="verdict bad" role="alert" id="ended" hidden>${t.ended}</p><p class="verdict busy" role="status" id="lost" hidden>${t.lost}</p>`}
<div id="live"${isOpen && html` data-live data-events="${address}/events"`}>
${showsAccounts && accountsOf(texts, change, now)}
${isOpen && html`<p class="hint">${t.mayClose}</p>`}
${!isOpen && !isSuccess(change.state) && html`<p><a class="button primary" href="${again}?lang=${texts.lang}">${t.again}</a></p>`}
${showsAccounts && someHold(change) && afterwards(texts)}
<p class="hint as-of">${t.asOf(timeIn(texts, now))}</p>
</div>`,
  });
}

const isSuccess = (state: ChangeState): boolean => state === 'done';

const someHold = ({ accounts }: Change): boolean =>
  accounts.some(({ outcome }) => outcome === 'applied');

/** Whether the auth account has accepted the change, and with it the current password. */
const isVerified = ({ accounts }: Change): boolean =>
  accounts.some(({ role, outcome }) => role === 'auth' && outcome === 'applied');

function verdictOf({ progress: t, reasons }: Texts, change: Change): string {
  const reason = personReason(change.reason);
  const why = reason === null ? '' : ` ${reasons[reason]}`;
  const isParked = change.accounts.some(({ outcome }) => outcome === 'parked');
  const waiting = isVerified(change)
    ? isParked
      ? t.waitingParked
      : t.waiting
    : `${t.notYet} ${reasons[authWaits(change) ?? 'away']}`;
  const refused = `${inVain(t, change)}${why}`;
  const verdicts: Readonly<Record<HeadlineCode, string>> = {
    accepted: t.checking,
    applying: isVerified(change) ? t.working : t.checking,
    waiting,
    parked: waiting,
    stored_only: t.storedOnly,
    changed_there_only: t.changedThereOnly,
    everywhere: change.signInsPrevented === 0 ? t.done : t.doneHere,
    where_planned: t.doneHere,
    taken: t.doneHere,
    taken_where_planned: t.doneHere,
    partial: t.partial,
    taken_partly: t.partial,
    replaced: t.superseded,
    refused,
    refused_late: refused,
    refused_at_origin: refused,
    failed: refused,
    expired: `${t.expired} ${inVain(t, change)}`,
    cancelled: t.cancelled,
    superseded: t.superseded,
  };
  return verdicts[change.headline];
}

/** What a person should know after a change that the auth account did not take. */
function inVain(t: Texts['progress'], { accounts }: Change): string {
  if (accounts.some(({ outcome, holds }) => isSettled(outcome) && holds === 'new'))
    return t.refusedHere;
  const isUnsure = accounts.some(({ inDoubt }) => inDoubt);
  return isUnsure ? t.refusedUnsure : t.refused;
}

/** Why the auth account is not changed yet. */
function authWaits({ accounts }: Change): PersonReason | null {
  const auth = accounts.find(({ role }) => role === 'auth');
  return auth === undefined ? null : openReason(auth.outcome, auth.reason);
}

function toneOf({ state }: Change): 'good' | 'busy' | 'bad' {
  if (state === 'done') return 'good';
  return ['accepted', 'applying', 'waiting'].includes(state) ? 'busy' : 'bad';
}

const accountsOf = (texts: Texts, change: Change, now: Date): Html => html`
<h2>${texts.progress.accounts}</h2>
<ul class="accounts">${change.accounts.map((account) => accountRow(texts, change, account, now))}</ul>`;

function accountRow(texts: Texts, change: Change, account: ChangeAccount, now: Date): Html {
  const t = texts.progress;
  const row = rowOf[account.outcome];
  // An account in which the person has changed the password is not changed for a reason of another account.
  const isOwn = row === 'has' || (row === 'notTried' && account.holds === 'new');
  const reason =
    isOwn || account.signInPrevented !== null
      ? personObstacle(account.signInPrevented)
      : openReason(account.outcome, account.reason);
  const sentences = [
    ...(row === 'has' && account.proved ? [t.proved(timeIn(texts, account.updatedAt))] : []),
    ...(reason === null ? [] : [texts.reasons[reason]]),
    ...(row === 'waits' && account.nextTryAt !== null
      ? [t.nextTry(timeIn(texts, account.nextTryAt > now ? account.nextTryAt : now))]
      : []),
    ...(row === 'waits' ? [t.until(dayAndTime(texts, change.expiresAt))] : []),
    ...(['waits', 'parked', 'refused', 'notTried'].includes(row) ? [t.holds[account.holds]] : []),
    ...(row === 'has' && account.holds === 'newer' ? [t.holds.newer] : []),
    ...(row === 'has' && account.holds === 'new' && !account.proved && account.reason !== 'origin'
      ? [t.notVerified]
      : []),
  ];
  return html`
<li class="${row}"><span class="mark" aria-hidden="true">${marks[row]}</span>
<div><p class="what"><strong>${account.title[texts.lang]}</strong> <span>${t.states[row]}</span></p>
${account.account !== null && html`<p class="hint">${shortAccount(account.account)}</p>`}
${sentences.length > 0 && html`<p>${sentences.join(' ')}</p>`}
${hintOf(texts, account)}</div></li>`;
}

/** People know the first part of a distinguished name only. */
export const shortAccount = (name: string): string =>
  /^[A-Za-z][\w.-]*=((?:\\.|[^\\,+])*)/.exec(name)?.[1] ?? name;

const afterwards = ({ progress: t }: Texts): Html => html`
<details class="after"><summary>${t.afterTitle}</summary><ul>${t.after.map((says) => html`<li>${says}</li>`)}</ul></details>`;

const timeIn = ({ lang }: Texts, time: Date): string =>
  time.toLocaleTimeString(localeOf(lang), {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  });

const dayAndTime = ({ lang }: Texts, time: Date): string =>
  time.toLocaleString(localeOf(lang), {
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  });

/** The day of the year and the time, for what may be weeks old. */
export const dateAndTime = ({ lang }: Texts, time: Date): string =>
  time.toLocaleString(localeOf(lang), {
    ...{ day: 'numeric', month: 'short', year: 'numeric' },
    ...{ hour: '2-digit', minute: '2-digit', timeZoneName: 'short' },
  });

/** English with 24 hours, which no reader takes for the other half of the day. */
const localeOf = (lang: string): string => (lang === 'en' ? 'en-GB' : lang);
