import type { AuditRecordAnswer } from '../../model/api/audit';
import type { Change, ChangeAccount } from '../../model/api/changes';
import { type OutcomeState, outcomeStates } from '../../model/change/outcome';
import { type Html, html } from '../html';
import { counted } from '../texts/counted';
import { isHeld, mayRetry } from './retry';
import {
  cliCommand,
  clock,
  commandButton,
  type Desk,
  deskPage,
  titleBelow,
  withCommand,
} from './shell';
import { accountsText } from './source-tools';
import { accountTimeline, MOST_RECORDS } from './timeline';

interface OneChange {
  readonly change: Change;
  readonly records: readonly AuditRecordAnswer[];
  readonly mayControl: boolean;
  /** True if the user has asked for every account. */
  readonly showsAll: boolean;
}

/** One change: why each account waits or was left out, what can be done, and what has happened. */
export const oneChangePage = (desk: Desk, one: OneChange): string => {
  const { change, records, mayControl, showsAll } = one;
  const accounts = shownAccounts(one);
  const hidden = change.accounts.length - accounts.length;
  return deskPage(desk, {
    title: `Change of ${change.identity}`,
    address: '',
    isLive: change.endedAt === null && !showsAll,
    verdict: {
      tone: change.state === 'done' ? 'good' : change.endedAt === null ? 'busy' : 'bad',
      says: `${sentence(change.says)}${change.reasonSays === null ? '' : ` ${change.reasonSays}`}`,
    },
    content: html`<p><a href="/console/people/${encodeURIComponent(change.identity)}">${change.identity}</a>, groups ${change.groups.join(', ')}. Requested by ${change.requestedBy} at ${clock(change.createdAt)}.
${change.endedAt === null ? `Lockstep tries until ${clock(change.expiresAt)}.` : `Ended at ${clock(change.endedAt)}.`}
${change.links.temporal !== undefined && html`<a href="${change.links.temporal}">Workflow in Temporal</a>`}</p>
${mayControl && change.endedAt === null && changeTools(change)}
<h2>Accounts</h2>${hidden > 0 && html`<p>${hidden} more ${counted(hidden, 'account is', 'accounts are')} not shown; those that need attention come first. <a href="?all=1">Show all accounts</a></p>`}<div class="scroll"><table class="cards"><caption class="sr">Accounts</caption><thead><tr><th scope="col">Account</th><th scope="col">Outcome</th><th scope="col">Attempts</th><th scope="col">Actions</th></tr></thead><tbody>${accounts.map((account) => accountRow(one, account))}</tbody></table></div>
${change.mappings.length > 0 && html`<h2>Applications</h2><ul>${change.mappings.map(({ application, state }) => html`<li>${application}: ${state.replaceAll('_', ' ')}</li>`)}</ul>`}
<h2>What happened</h2>${records.length > MOST_RECORDS && html`<p>The newest ${MOST_RECORDS} of ${records.length} records.</p>`}<ol>${records.slice(-MOST_RECORDS).map(({ at, says, actor }) => html`<li><time datetime="${at.toISOString()}">${clock(at)}</time> ${says} <small>${actor.says}</small></li>`)}</ol>
<p class="hint">${cliCommand('lockstep status', change.id)}</p>`,
  });
};

/** As many rows as a browser draws without a pause. */
const MOST_ACCOUNTS = 50;

/** The accounts of a change, those that need attention first if there are many. */
function shownAccounts({ change: { accounts }, showsAll }: OneChange): readonly ChangeAccount[] {
  if (showsAll || accounts.length <= MOST_ACCOUNTS) return accounts;
  const urgency = ({ outcome }: ChangeAccount) => urgencies.indexOf(outcome);
  return [...accounts].sort((one, other) => urgency(other) - urgency(one)).slice(0, MOST_ACCOUNTS);
}

const urgencies: readonly OutcomeState[] = ['waiting', 'rejected', 'expired', 'parked'];

/** Commands for the whole change. The title names how many accounts each reaches. */
function changeTools(change: Change): Html {
  const states = change.accounts.map(({ outcome }) => outcome);
  const count = (wanted: (state: OutcomeState) => boolean) => states.filter(wanted).length;
  const reached = {
    retry: change.accounts.filter(mayRetryAccount).length,
    park: count((state) => state === 'waiting'),
    cancel: count((state) => !outcomeStates[state].settled),
  };
  return html`<div class="tools">${(['retry', 'park', 'cancel'] as const).map(
    (command) =>
      (reached[command] > 0 || command === 'cancel') &&
      withCommand(
        commandButton(
          `/console/changes/${change.id}/${command}`,
          `${titles[command]} ${command === 'cancel' && reached.cancel === 0 ? 'the change' : accountsText(reached[command])}`,
        ),
        `lockstep ${command}`,
        change.id,
      ),
  )}</div><p class="hint">A worker carries a command out within seconds. A parked account is not tried again until someone retries it. A cancelled account keeps its old password; this cannot be undone.</p>`;
}

/** What can still change for an account that waits or is parked. */
const commandsFor = (account: ChangeAccount) => [
  ...(mayRetryAccount(account) ? (['retry'] as const) : []),
  ...(account.outcome === 'parked' ? [] : (['park'] as const)),
  'cancel' as const,
];

const mayRetryAccount = ({ outcome, reason }: ChangeAccount): boolean =>
  mayRetry({ state: outcome, reason });

const titles = { retry: 'Retry', park: 'Park', cancel: 'Cancel' } as const;

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

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

function accountRow({ change, records, mayControl }: OneChange, account: ChangeAccount): Html {
  const { label, outcome, says, reason, reasonSays, vendorCode, nextTryAt, attempts } = account;
  const isOpen = ['waiting', 'parked'].includes(outcome);
  const status = account.proved ? 'verified' : says;
  const why = reasonSays !== null && status.includes(reasonSays) ? null : reasonSays;
  return html`<tr><th scope="row">${label}${account.role === 'auth' && html` <small>auth account</small>`}${titleBelow(account.source, account)}<br><small>${account.account ?? 'not found yet'}</small></th>
<td data-label="Outcome"><span class="tag ${tones[outcome] ?? 'busy'}">${outcome.replaceAll('_', ' ')}</span> ${status}
${why !== null && html`<p>${why}</p>`}
${(reason !== null || vendorCode !== null) && html`<p class="hint">${reason !== null && html`<a href="/errors/${reason}">${reason}</a> `}${vendorCode !== null && `code of the source: ${vendorCode}`}</p>`}
${outcome === 'waiting' && isHeld(account) && html`<p>A retry does not help while the source is paused.</p>`}
${nextTryAt !== null && html`<p>Next attempt at ${clock(nextTryAt)}.</p>`}${account.inDoubt && html`<p>It may hold the old or the new password.</p>`}${accountTimeline(account, records, change.createdAt)}</td>
<td class="number" data-label="Attempts">${attempts}</td>
<td>${mayControl && isOpen && html`<div class="tools">${commandsFor(account).map((command) => withCommand(commandButton(`/console/changes/${change.id}/${command}`, titles[command], { account: label }), `lockstep ${command}`, change.id, label))}</div>`}</td></tr>`;
}
