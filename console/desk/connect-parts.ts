import type { ConfigurationPlan } from '../../model/api/configuration';
import type { CandidateCheck, Finding } from '../../model/api/job-results';
import { type Html, html } from '../html';
import { differenceList } from './plan';

/** The answers that the form of a new source shows: the findings of a worker, accounts, and what would change. */

const marks = { ok: '✓', warning: '!', wrong: '✕', skipped: '–' } as const;
const classes = { ok: 'has', warning: 'waits', wrong: 'refused', skipped: 'leftOut' } as const;
const words = { ok: 'works', warning: 'warning', wrong: 'wrong', skipped: 'skipped' } as const;

/** Findings as `lockstep doctor` prints them. Those that need attention come first; the others are folded. */
export function findingList(findings: readonly Finding[]): Html {
  const passed = findings.filter(({ verdict }) => verdict === 'ok');
  const others = findings.filter(({ verdict }) => verdict !== 'ok');
  return html`${others.length > 0 && list(others)}${passed.length > 0 && html`<details${others.length === 0 && html` open`}><summary>${passed.length === 1 ? '1 check passed' : `${passed.length} checks passed`}</summary>${list(passed)}</details>`}`;
}

const list = (findings: readonly Finding[]): Html =>
  html`<ul class="accounts">${findings.map(
    ({ check, verdict, says }) =>
      html`<li class="${classes[verdict]}"><span class="mark" aria-hidden="true">${marks[verdict]}</span><div><p class="what"><strong>${check.replaceAll('-', ' ')}</strong> <span>${words[verdict]}</span></p><p>${says}</p></div></li>`,
  )}</ul>`;

export const isUsable = ({ findings }: Pick<CandidateCheck, 'findings'>): boolean =>
  findings.every(({ verdict }) => verdict !== 'wrong');

/** What a worker found with the settings that were typed. */
export const checkResult = (check: CandidateCheck): Html =>
  html`<p class="verdict ${isUsable(check) ? 'good' : 'bad'}" role="status">${isUsable(check) ? 'The connection works.' : 'The connection does not work yet. Correct what is marked wrong, and test again.'}</p>
${findingList(check.findings)}${accountsOf(check)}`;

function accountsOf({ accounts, listing, findings }: CandidateCheck): Html | false {
  if (!isUsable({ findings })) return false;
  if (listing !== null)
    return html`<h3>Accounts</h3><p>The accounts cannot be listed. ${listing} Link them to people by hand.</p>`;
  if (accounts.length === 0)
    return html`<h3>Accounts</h3><p class="verdict busy">The source lists no account. Check where it looks for accounts, and what the service account may read.</p>`;
  const names = [...new Set(accounts.flatMap(({ attributes }) => Object.keys(attributes)))];
  return html`<h3>The first accounts</h3><div class="scroll"><table class="cards"><caption class="sr">The first accounts</caption><thead><tr><th scope="col">Account</th>${names.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>${accounts.map(
    ({ name, attributes }) =>
      html`<tr><th scope="row">${name}</th>${names.map((one) => html`<td data-label="${one}">${attributes[one] === null ? html`<em>not shown</em>` : (attributes[one] ?? '')}</td>`)}</tr>`,
  )}</tbody></table></div>`;
}

/** What would change, and what follows from it for passwords. */
export const planResult = (
  { differences, warnings, fit }: ConfigurationPlan,
  yaml: { readonly added: string; readonly whole: string },
): Html => html`${differenceList(differences)}
${warnings.map((says) => html`<p class="verdict busy">${says}</p>`)}
${fit
  .filter(({ group }) => touched(differences, group))
  .map(
    ({
      group,
      fits,
      impossible,
      notGuaranteed,
      unread,
    }) => html`<h3>Passwords of ${group}</h3><p>${fits === null ? 'No password satisfies all sources.' : `Every source accepts: ${fits}.`}</p>
<ul>${[...impossible, ...notGuaranteed].map((says) => html`<li>${says}</li>`)}</ul>
${unread.length > 0 && html`<p class="hint">The rules of ${unread.join(', ')} are known after the first check.</p>`}`,
  )}
<p>Nothing is written to the source before a refresh has linked accounts and a password of their people changes.</p>
<p class="field"><label for="yaml">What is added to lockstep.yaml</label><textarea class="code short" id="yaml" readonly spellcheck="false">${yaml.added}</textarea></p>
<details><summary>The whole lockstep.yaml</summary><p class="field"><label for="whole">lockstep.yaml</label><textarea class="code" id="whole" readonly spellcheck="false">${yaml.whole}</textarea></p></details>`;

const touched = (differences: ConfigurationPlan['differences'], group: string): boolean =>
  differences.some(
    ({ section, name }) =>
      (section === 'groups' && name === group) ||
      (section === 'sources' && group === `source:${name}`),
  );
