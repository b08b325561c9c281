import type { AccountOverview, Overview } from '../../model/api/overview';
import { signInObstacles } from '../../model/change/sign-in-prevented';
import type { AccountAction } from '../../model/people/account-actions';
import { type Html, html } from '../html';
import { changeTable } from './changes';
import { cliCommand, clock, type Desk, deskPage } from './shell';

/** The page on which the help desk looks for a person by the exact name. */
export const searchPage = (desk: Desk, problem: string): string =>
  deskPage(desk, {
    title: 'People',
    address: '/console/people',
    content: html`${problem !== '' && html`<div class="problem" role="alert"><p>${problem}</p></div>`}
<form class="filters" action="/console/people" method="post"><label>Name of the person<input name="name" required autocomplete="off" data-1p-ignore></label><button class="primary">Open</button></form>
<p class="hint">The name as Lockstep knows it, such as the login name.</p>`,
  });

export interface PersonView {
  readonly person: Overview;
  readonly mayHelp: boolean;
}

/** Everything that the help desk needs about one person. */
export const personPage = (desk: Desk, { person, mayHelp }: PersonView): string =>
  deskPage(desk, {
    title: person.name,
    address: '',
    content: html`${person.next.length > 0 && html`<div class="verdict busy"><ul>${person.next.map((says) => html`<li>${says}</li>`)}</ul></div>`}
<h2>Accounts</h2><div class="scroll"><table class="cards"><caption class="sr">Accounts</caption><thead><tr><th scope="col">Account</th><th scope="col">Password</th><th scope="col">Since</th></tr></thead><tbody>${person.accounts.map(accountRow)}</tbody></table></div>
${mayHelp && actionsOf(person)}
<h2>Changes</h2>${changeTable(person.changes)}
${person.captures.length > 0 && html`<h2>Captures without effect</h2><ul>${person.captures.map(({ at, source, says }) => html`<li>${clock(at)}, ${source}: ${says}</li>`)}</ul>`}
<p class="hint">${cliCommand(`lockstep identities show ${person.name}`)}</p>`,
  });

const holds = { newest: 'good', older: 'bad', unknown: 'off' } as const;

function accountRow(account: AccountOverview): Html {
  const { source, held, open, stale, signInPrevented, problem } = account;
  const obstacle = Object.entries(signInObstacles).find(([code]) => code === signInPrevented)?.[1];
  return html`<tr><th scope="row">${source}<br><small>${account.account}</small></th>
<td data-label="Password"><span class="tag ${holds[account.holds]}">${account.holds === 'unknown' ? 'not written by Lockstep' : `${account.holds} password`}</span>
${obstacle !== undefined && html`<p>${obstacle.says}</p>`}${problem !== null && html`<p>Link: <a href="/errors/${problem}">${problem.replaceAll('_', ' ')}</a></p>`}
${open !== null && html`<p>${open.says} <a href="/console/changes/${open.change}">Change</a></p>`}${stale !== null && html`<p>${stale.says} ${stale.cure}</p>`}</td>
<td data-label="Since">${held !== null && html`${clock(held.since)}<br><small>${held.proof === 'none' ? 'not verified' : `verified by ${held.proof}`}</small>`}</td></tr>`;
}

const titles: Readonly<Record<AccountAction, string>> = {
  unlock: 'Unlock the accounts',
  'force-change': 'Force a change at the next login',
};

/** Actions need a reason, which the audit keeps. */
const actionsOf = ({ name, accounts }: Overview): Html => html`<h2>Help</h2>
<form class="filters" method="post" action="/console/people/${encodeURIComponent(name)}/act"><label>Reason or ticket<input name="reason" required maxlength="200" autocomplete="off" aria-describedby="reason-hint"></label>
<label>Account in<select name="source"><option value="">every source</option>${[...new Set(accounts.map(({ source }) => source))].map((source) => html`<option>${source}</option>`)}</select></label>
${Object.entries(titles).map(([action, title]) => html`<button name="action" value="${action}">${title}</button>`)}</form>
<p><a class="button" href="/console/people/${encodeURIComponent(name)}/one-time-link">One-time link for a new password</a> ${cliCommand(`lockstep identities one-time-link ${name} --check called-back --reason "ticket 4711"`)}</p>
<p class="hint" id="reason-hint">The audit keeps the reason, so never write a password there. Check who is calling first.</p>`;

/** The sentence about what an action did at each account. */
export const actionSays = (
  accounts: readonly { readonly source: string; readonly says: string }[],
): string => accounts.map(({ source, says }) => `${source}: ${says}`).join(' ');
