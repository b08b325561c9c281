import type { ChangePlan, PlannedAccount } from '../../model/api/change-plan';
import { type Html, html } from '../html';
import { cliCommand, type Desk, deskPage } from './shell';

/** What a change of a person would do, in the order of the change. Nothing is changed. */
export const trialPage = (desk: Desk, plan: ChangePlan): string => {
  const { identity, groups, accounts, warnings } = plan;
  return deskPage(desk, {
    title: `A change of ${identity}`,
    address: '',
    content: html`<p>This is a dry run: it contacts no source and changes nothing. <a href="/console/people/${encodeURIComponent(identity)}">Back to ${identity}</a></p>
${warnings.length > 0 && html`<div class="verdict bad"><ul>${warnings.map((says) => html`<li>${says}</li>`)}</ul></div>`}
<h2>Accounts, in the order of the change</h2><div class="scroll"><table class="cards"><caption class="sr">Accounts</caption><thead><tr><th scope="col">Account</th><th scope="col">Step</th><th scope="col">What happens</th></tr></thead><tbody>${accounts.map(accountRow)}</tbody></table></div>
<h2>Which passwords are allowed</h2><ul>${groups.map(({ name, policy, fits }) => html`<li>${name}, policy ${policy}: ${fits ?? 'no password satisfies all sources.'}</li>`)}</ul>
<p class="hint">${cliCommand('lockstep change --dry-run', identity)}</p>`,
  });
};

/** Asks for the group of a dry run. */
export const chooseGroupPage = (desk: Desk, identity: string): string =>
  deskPage(desk, {
    title: `A change of ${identity}`,
    address: '',
    content: html`<p>${identity} belongs to groups with different auth sources, so a change concerns one of them.</p>
<form class="filters" method="get"><label>Group<input name="group" required autocomplete="off"></label><button class="primary">Show</button></form>
<p><a href="/console/people/${encodeURIComponent(identity)}">Back to ${identity}</a></p>`,
  });

const proofs = {
  login: 'A login verifies it.',
  hash: 'The stored hash verifies it.',
  none: 'Lockstep cannot verify it there.',
} as const;

function accountRow({ source, account, role, turn, says, proof, warnings }: PlannedAccount): Html {
  const isLeftOut = turn === null;
  return html`<tr><th scope="row">${source}<br><small>${account ?? 'found by its correlation rules'}</small></th>
<td data-label="Step">${isLeftOut ? 'left out' : `${turn}`}${role === 'auth' && html` <span class="tag">auth account</span>`}</td>
<td data-label="What happens">${isLeftOut ? says : html`It gets the new password. ${proofs[proof]}`}${warnings.map((warning) => html`<p><span class="tag busy">warning</span> ${warning}</p>`)}</td></tr>`;
}
