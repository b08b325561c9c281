import type { AuditRecordAnswer } from '../../model/api/audit';
import type { Change, ChangeAccount, ChangesPage } from '../../model/api/changes';
import { changeStates } from '../../model/change/change';
import type { OutcomeState } from '../../model/change/outcome';
import { type Html, html } from '../html';
import {
  cliCommand,
  clock,
  commandButton,
  type Desk,
  deskPage,
  titleBelow,
  withCommand,
} from './shell';

interface ChangesList {
  readonly page: ChangesPage;
  readonly query: Readonly<Record<string, string>>;
  readonly sources: readonly string[];
}

/** The list of changes. Its filters are in its address, so that it can be kept and shared. */
export const changesPage = (desk: Desk, { page, query, sources }: ChangesList): string =>
  deskPage(desk, {
    title: 'Changes',
    address: '/console/changes',
    content: html`<form class="filters" action="/console/changes" method="get">
${choice('state', 'State', Object.keys(changeStates), query)}${choice('source', 'Source', sources, query)}
<label>Person<input name="identity" value="${query.identity ?? ''}" autocomplete="off"></label><button>Filter</button></form>
${changeTable(page.changes)}
${page.next !== null && html`<p><a href="/console/changes?${new URLSearchParams({ ...query, cursor: page.next }).toString()}">Older changes</a></p>`}`,
  });

export const choice = (
  name: string,
  title: string,
  values: readonly string[],
  query: Readonly<Record<string, string>>,
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

interface OneChange {
  readonly change: Change;
  readonly records: readonly AuditRecordAnswer[];
  readonly mayControl: boolean;
}

/** One change: why each account waits or was left out, what can be done, and what has happened. */
export const oneChangePage = (desk: Desk, { change, records, mayControl }: OneChange): string =>
  deskPage(desk, {
    title: `Change of ${change.identity}`,
    address: '',
    isLive: change.endedAt === null,
    content: html`<p class="verdict ${change.state === 'done' ? 'good' : change.endedAt === null ? 'busy' : 'bad'}">${sentence(change.says)}${change.reasonSays !== null && ` ${change.reasonSays}`}</p>
<p><a href="/console/people/${encodeURIComponent(change.identity)}">${change.identity}</a>, groups ${change.groups.join(', ')}. Requested by ${change.requestedBy} at ${clock(change.createdAt)}.
${change.endedAt === null ? `Lockstep tries until ${clock(change.expiresAt)}.` : `Ended at ${clock(change.endedAt)}.`}
${change.links.temporal !== undefined && html`<a href="${change.links.temporal}">Workflow in Temporal</a>`}</p>
${mayControl && change.endedAt === null && html`<div class="tools">${(['retry', 'park', 'cancel'] as const).map((command) => withCommand(commandButton(`/console/changes/${change.id}/${command}`, titles[command]), `lockstep ${command}`, change.id))}</div>`}
<h2>Accounts</h2><div class="scroll"><table class="cards"><caption class="sr">Accounts</caption><thead><tr><th scope="col">Account</th><th scope="col">Outcome</th><th scope="col">Attempts</th><th scope="col">Actions</th></tr></thead><tbody>${change.accounts.map((account) => accountRow(change, account, mayControl))}</tbody></table></div>
${change.mappings.length > 0 && html`<h2>Applications</h2><ul>${change.mappings.map(({ application, state }) => html`<li>${application}: ${state.replaceAll('_', ' ')}</li>`)}</ul>`}
<h2>What happened</h2><ol>${records.map(({ at, says, actor }) => html`<li><time datetime="${at.toISOString()}">${clock(at)}</time> ${says} <small>${actor.says}</small></li>`)}</ol>
<p class="hint">${cliCommand('lockstep status', change.id)}</p>`,
  });

const titles = { retry: 'Retry now', park: 'Park', cancel: 'Cancel' } as const;

export const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

const tones: Partial<Record<OutcomeState, string>> = {
  applied: 'good',
  rejected: 'bad',
  expired: 'bad',
  parked: 'bad',
  not_applicable: 'off',
  superseded: 'off',
  cancelled: 'off',
  not_attempted: 'off',
};

function accountRow(change: Change, account: ChangeAccount, mayControl: boolean): Html {
  const { label, outcome, says, reason, reasonSays, vendorCode, nextTryAt, attempts } = account;
  const isOpen = ['waiting', 'parked'].includes(outcome);
  return html`<tr><th scope="row">${label}${account.role === 'auth' && html` <small>auth account</small>`}${titleBelow(account.source, account)}<br><small>${account.account ?? 'not found yet'}</small></th>
<td data-label="Outcome"><span class="tag ${tones[outcome] ?? 'busy'}">${outcome.replaceAll('_', ' ')}</span> ${account.proved ? 'verified' : says}
${reasonSays !== null && html`<p>${reasonSays}</p>`}
${(reason !== null || vendorCode !== null) && html`<p class="hint">${reason !== null && html`<a href="/errors/${reason}">${reason}</a> `}${vendorCode !== null && `code of the source: ${vendorCode}`}</p>`}
${nextTryAt !== null && html`<p>Next attempt at ${clock(nextTryAt)}.</p>`}${account.inDoubt && html`<p>It may hold the old or the new password.</p>`}</td>
<td class="number" data-label="Attempts">${attempts}</td>
<td>${mayControl && isOpen && html`<div class="tools">${(['retry', 'park', 'cancel'] as const).map((command) => commandButton(`/console/changes/${change.id}/${command}`, titles[command], { account: label }))}</div>`}</td></tr>`;
}
