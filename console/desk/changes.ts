import type { Change, ChangesPage } from '../../model/api/changes';
import { changeStates } from '../../model/change/change';
import { errorCodes, errors } from '../../model/errors';
import { quoted } from '../../model/quoted';
import { type Html, html } from '../html';
import { cliCommand, clock, type Desk, deskPage } from './shell';
import { type Query, type View, viewList } from './views';

interface ChangesList {
  readonly page: ChangesPage;
  readonly query: Query;
  readonly sources: readonly string[];
}

/** The list of changes. Its filters are in its address, so that it can be kept and shared. */
export const changesPage = (desk: Desk, { page, query, sources }: ChangesList): string =>
  deskPage(desk, {
    title: 'Changes',
    address: '/console/changes',
    isLive: query.cursor === undefined,
    fixed: html`${viewList('/console/changes', views, query)}
<form class="filters" action="/console/changes" method="get">
${choice('state', 'State', Object.keys(changeStates), query)}${choice('source', 'Source', sources, query)}
<label>Waits for reason<input name="reason" value="${query.reason ?? ''}" autocomplete="off" list="reasons"></label>
<label>Person<input name="identity" value="${query.identity ?? ''}" autocomplete="off"></label><button>Filter</button></form>
<datalist id="reasons">${waitingReasons.map((reason) => html`<option value="${reason}">`)}</datalist>
<p class="hint">The address of this page is the view: keep it as a bookmark, or send it to a colleague. ${cliCommand(`lockstep changes${optionsOf(query)}`)}</p>`,
    content: html`${changeTable(page.changes)}${page.changes.length === 0 && emptyList(query)}
${page.next !== null && html`<p><a href="/console/changes?${new URLSearchParams({ ...query, cursor: page.next }).toString()}">Older changes</a></p>`}`,
  });

/** The views that operators open most. */
const views: readonly View[] = [
  { title: 'All', filter: {} },
  { title: 'Waiting', filter: { state: 'waiting' } },
  { title: 'Running', filter: { state: 'applying' } },
  { title: 'Not everywhere', filter: { state: 'partial' } },
  { title: 'Expired', filter: { state: 'expired' } },
  { title: 'Refused', filter: { state: 'refused' } },
];

/** The reasons for which an account may wait. */
const waitingReasons = errorCodes.filter((code) => errors[code].retry === 'offline');

const emptyList = (query: Query): Html =>
  optionsOf(query) === ''
    ? html`<p>A change begins when a person changes the password on <a href="/password">the page for people</a>, when a source reports a new one, or by ${cliCommand('lockstep change <person>')}.</p>`
    : html`<p><a href="/console/changes">Show all changes</a></p>`;

/** The options of the command that shows the same list. */
const optionsOf = (query: Query): string =>
  ['state', 'source', 'reason', 'identity']
    .filter((name) => (query[name] ?? '') !== '')
    .map((name) => ` --${name} ${quoted(query[name] ?? '')}`)
    .join('');

export const choice = (
  name: string,
  title: string,
  values: readonly string[],
  query: Query,
): Html =>
  html`<label>${title}<select name="${name}"><option value="">all</option>${values.map((value) => html`<option${query[name] === value && html` selected`}>${value}</option>`)}</select></label>`;

/** Changes, the newest first. */
export const changeTable = (changes: ChangesPage['changes']): Html =>
  changes.length === 0
    ? html`<p>No changes.</p>`
    : html`<div class="scroll"><table class="cards"><caption class="sr">Changes</caption><thead><tr><th scope="col">Person</th><th scope="col">State</th><th scope="col">Accounts</th><th scope="col">Began</th></tr></thead><tbody>${changes.map(
        (
          change,
        ) => html`<tr><th scope="row"><a href="/console/changes/${change.id}">${change.identity}</a></th>
<td data-label="State">${stateTag(change.state)}</td><td class="number" data-label="Accounts">${change.applied} of ${change.accounts} hold the new password</td><td data-label="Began">${clock(change.createdAt)}</td></tr>`,
      )}</tbody></table></div>`;

const stateTag = (state: Change['state']): Html => {
  const tone = state === 'done' ? 'good' : changeStates[state].ended ? 'bad' : 'busy';
  return html`<span class="tag ${state === 'superseded' || state === 'cancelled' ? 'off' : tone}">${state}</span>`;
};
