import type { AuditPage } from '../../model/api/audit';
import { auditActions } from '../../model/audit/says';
import { quoted } from '../../model/quoted';
import { type Html, html } from '../html';
import { cliCommand, clock, type Desk, deskPage } from './shell';
import { type Query, viewList } from './views';

/** The spans of time that the page offers, in hours. */
export const auditHours = {
  '1': 'the last hour',
  '24': 'the last 24 hours',
  '168': 'the last 7 days',
};

/** The views that auditors open most. */
const views = [
  { title: 'All', filter: {} },
  { title: 'Configuration', filter: { action: 'configuration' } },
  { title: 'Keys', filter: { action: 'api-key' } },
  { title: 'Sessions', filter: { action: 'session' } },
  { title: 'Sources', filter: { action: 'source' } },
] as const;

/** The audit, with filters in the address. */
export const auditPage = (desk: Desk, page: AuditPage, query: Query): string =>
  deskPage(desk, {
    title: 'Audit',
    address: '/console/audit',
    content: html`${viewList('/console/audit', views, query)}
<form class="filters" action="/console/audit" method="get">${filters.map(([name, title]) => html`<label>${title}<input name="${name}" value="${query[name] ?? ''}" autocomplete="off"${name === 'action' && html` list="actions"`}></label>`)}
<label>Time<select name="hours"><option value="">any</option>${Object.entries(auditHours).map(([hours, title]) => html`<option value="${hours}"${query.hours === hours && html` selected`}>${title}</option>`)}</select></label><button>Filter</button></form>
<datalist id="actions">${actions.map((action) => html`<option value="${action}">`)}</datalist>
<p class="hint">The address of this page is the view: keep it as a bookmark, or send it to a colleague. ${cliCommand(commandOf(query))}</p>
${page.records.length === 0 ? html`<p>No record matches. <a href="/console/audit">Show all records</a></p>` : recordTable(page.records)}
${page.next !== null && html`<p><a href="/console/audit?${new URLSearchParams({ ...query, cursor: page.next }).toString()}">Older records</a></p>`}`,
  });

const filters = [
  ['person', 'Person'],
  ['source', 'Source'],
  ['action', 'Action'],
  ['actor', 'By'],
  ['change', 'Change'],
] as const;

/** Every action, and the first part of each, which stands for all that begin with it. */
const actions = [
  ...new Set(Object.keys(auditActions).flatMap((action) => [action.split('.')[0], action])),
];

const commandOf = (query: Query): string =>
  [
    'lockstep audit',
    ...filters.flatMap(([name]) =>
      (query[name] ?? '') === '' ? [] : [`--${name} ${quoted(query[name] ?? '')}`],
    ),
    ...((query.hours ?? '') === '' ? [] : [`--since ${query.hours}h`]),
  ].join(' ');

const recordTable = (records: AuditPage['records']): Html =>
  html`<div class="scroll"><table class="cards"><caption class="sr">Audit records</caption><thead><tr><th scope="col">Time</th><th scope="col">What happened</th><th scope="col">By</th></tr></thead><tbody>${records.map(
    ({ at, says, actor, severity }) =>
      html`<tr><td data-label="Time">${clock(at)}</td><td>${severity === 'warning' && html`<span class="tag bad">warning</span> `}${says}</td><td data-label="By">${actor.says}</td></tr>`,
  )}</tbody></table></div>`;
