import type { Identity } from '../../model/api/identities';
import type { AccountOverview, Overview } from '../../model/api/overview';
import { signInObstacles } from '../../model/change/sign-in-prevented';
import type { AccountAction, ActionResult } from '../../model/people/account-actions';
import { type Html, html } from '../html';
import { changeTable } from './changes';
import { mayRetry } from './retry';
import { cliCommand, clock, commandButton, type Desk, deskPage, titleBelow } from './shell';

export interface PeopleSearch {
  /** What the help desk has typed; empty before the first search. */
  readonly typed: string;
  readonly found: readonly Identity[];
  readonly hasMore: boolean;
  readonly problem: string;
}

export const noSearch: PeopleSearch = { typed: '', found: [], hasMore: false, problem: '' };

/** The page on which the help desk looks for a person. */
export const searchPage = (desk: Desk, { typed, found, hasMore, problem }: PeopleSearch): string =>
  deskPage(desk, {
    title: 'People',
    address: '/console/people',
    content: html`${problem !== '' && html`<div class="problem" role="alert"><p>${problem}</p></div>`}
<form class="filters" action="/console/people" method="post"><label>Name, mail or account<input name="name" value="${typed}" required minlength="2" autocomplete="off" data-1p-ignore></label><button class="primary">Find</button></form>
${found.length > 0 && foundTable(found)}
${hasMore && html`<p>More people match. Type more of the name.</p>`}
<p class="hint">A part is enough, in capital or small letters. A name that is complete opens the person at once.</p>`,
  });

const foundTable = (found: readonly Identity[]): Html =>
  html`<div class="scroll"><table class="cards"><caption>${found.length === 1 ? 'One person matches' : `${found.length} people match`}</caption><thead><tr><th scope="col">Person</th><th scope="col">Attributes</th><th scope="col">Accounts</th></tr></thead><tbody>${found.map(
    ({ name, attributes, accounts }) =>
      html`<tr><th scope="row"><a href="/console/people/${encodeURIComponent(name)}">${name}</a></th><td data-label="Attributes">${Object.entries(
        attributes,
      )
        .map(([key, value]) => `${key} ${value}`)
        .join(', ')}</td>
<td data-label="Accounts">${accounts.map(({ source, name: account }) => `${source} ${account}`).join(', ')}</td></tr>`,
  )}</tbody></table></div>`;

/** What has become of an action at one account. */
export interface ActedShown {
  readonly source: string;
  readonly says: string;
  readonly at: Date;
  /** Null while no worker has carried it out. */
  readonly result: ActionResult | null;
}

export interface PersonView {
  readonly person: Overview;
  readonly acted: readonly ActedShown[];
  /** What was typed into the form before. */
  readonly typed: (field: string) => string;
  readonly mayHelp: boolean;
  readonly mayTry: boolean;
  readonly mayControl: boolean;
  readonly mayUnlink: boolean;
}

/** Everything that the help desk needs about one person. */
export const personPage = (desk: Desk, view: PersonView): string => {
  const { person, acted, mayHelp, mayTry } = view;
  return deskPage(desk, {
    title: person.name,
    address: '',
    content: html`${acted.length > 0 && actedBox(acted)}${person.next.length > 0 && html`<div class="verdict busy"><ul>${person.next.map((says) => html`<li>${says}</li>`)}</ul></div>`}
<h2>Accounts</h2><div class="scroll"><table class="cards"><caption class="sr">Accounts</caption><thead><tr><th scope="col">Account</th><th scope="col">Password</th><th scope="col">Since</th></tr></thead><tbody>${person.accounts.map((account) => accountRow(view, account))}</tbody></table></div>
${mayTry && html`<p><a href="/console/people/${encodeURIComponent(person.name)}/plan">What a change would do</a></p>`}
${mayHelp && actionsOf(view)}
<h2>Changes</h2>${changeTable(person.changes)}
${person.captures.length > 0 && html`<h2>Captures without effect</h2><ul>${person.captures.map(({ at, source, says }) => html`<li>${clock(at)}, ${source}: ${says}</li>`)}</ul>`}
<p class="hint">${cliCommand('lockstep identities show', person.name)}</p>`,
  });
};

/** What has become of the last action, account by account. */
function actedBox(acted: readonly ActedShown[]): Html {
  const isOpen = acted.some(({ result }) => result === null);
  const tone = acted.some(({ result }) => result === 'failed') ? 'bad' : isOpen ? 'busy' : 'good';
  return html`<div class="verdict ${tone}" role="status"><p>Ordered at ${clock(acted[0]?.at ?? new Date(0))}.${isOpen && ' Load this page again to see the end.'}</p><ul>${acted.map(({ source, says }) => html`<li>${source}: ${says}</li>`)}</ul></div>`;
}

const holds = { newest: 'good', older: 'bad', unknown: 'off' } as const;

function accountRow(view: PersonView, account: AccountOverview): Html {
  const { source, held, open, stale, signInPrevented, problem } = account;
  const obstacle = Object.entries(signInObstacles).find(([code]) => code === signInPrevented)?.[1];
  return html`<tr><th scope="row">${source}${titleBelow(source, account)}<br><small>${account.account}</small></th>
<td data-label="Password"><span class="tag ${holds[account.holds]}">${account.holdsSays}</span>
${obstacle !== undefined && html`<p>${obstacle.says}</p>`}${problem !== null && html`<p>Link: <a href="/errors/${problem}">${problem.replaceAll('_', ' ')}</a></p>`}
${open !== null && html`<p>${open.says} <a href="/console/changes/${open.change}">Change</a></p>`}${open !== null && view.mayControl && mayRetry(open) && commandButton(`/console/changes/${open.change}/retry`, 'Retry now')}${stale !== null && html`<p>${stale.says} ${stale.cure}</p>`}</td>
<td data-label="Since">${held !== null && html`${clock(held.since)}<br><small>${held.proof === 'none' ? 'not verified' : `verified by ${held.proof}`}</small>`}${view.mayUnlink && unlinkOf(view.person.name, account)}</td></tr>`;
}

/** The command is shown behind one more step, because it also deletes stored credentials. */
const unlinkOf = (person: string, { source, account }: AccountOverview): Html =>
  html`<details><summary class="more">Unlink …<span class="sr"> ${source} ${account}</span></summary><p>The account itself stays unchanged, and gets no more passwords of this person. The credentials that applications keep for it are deleted.</p>${commandButton(`/console/people/${encodeURIComponent(person)}/unlink`, 'Unlink', { source, account })}</details>`;

const titles: Readonly<Record<AccountAction, string>> = {
  unlock: 'Unlock the accounts',
  'force-change': 'Force a change at the next login',
};

/** Actions need a reason, which the audit keeps. */
const actionsOf = ({ person: { name, accounts }, typed }: PersonView): Html => html`<h2>Help</h2>
<form class="filters" method="post" action="/console/people/${encodeURIComponent(name)}/act"><label>Reason or ticket<input name="reason" required maxlength="200" autocomplete="off" aria-describedby="reason-hint" value="${typed('reason')}"></label>
<label>Account in<select name="source"><option value="">every source</option>${[...new Set(accounts.map(({ source }) => source))].map((source) => html`<option${typed('source') === source && html` selected`}>${source}</option>`)}</select></label>
${Object.entries(titles).map(([action, title]) => html`<button name="action" value="${action}">${title}</button>`)}</form>
<p><a class="button" href="/console/people/${encodeURIComponent(name)}/one-time-link">One-time link for a new password</a></p>
<p>${cliCommand('lockstep identities one-time-link --check called-back --reason "ticket 4711"', name)}</p>
<p class="hint" id="reason-hint">The audit keeps the reason, so never write a password there. Check who is calling first.</p>`;
