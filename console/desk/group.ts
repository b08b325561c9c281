import type { FilteredSamples, GroupPolicy } from '../../model/api/group-policy';
import { type Html, html } from '../html';
import { choiceField, type Filled, textField } from './field-html';
import { cliCommand, type Desk, deskPage } from './shell';

/** A filter that was tried: what was typed, and what it made of the samples. */
export interface FilterTrial extends Filled {
  readonly source: string;
  readonly tried: FilteredSamples | null;
}

export interface GroupView {
  readonly group: GroupPolicy;
  /** One for each source of the group, the one that was tried first. */
  readonly trials: readonly FilterTrial[];
}

/** The rules of a group as one picture: who demands what, an example that breaks each rule, and filters on samples. */
export const groupPage = (desk: Desk, { group, trials }: GroupView): string => {
  const { name, title, authSource, sources, fit } = group;
  return deskPage(desk, {
    title: `Passwords of ${name}`,
    address: '',
    content: html`<p class="intro">One password for ${sources.length === 1 ? sources[0] : sources.join(', ')}. ${authSource} is changed first. People read “${title.en}”. <a href="/console/settings">Configuration</a></p>
${verdictOf(group)}
<h2>Rules</h2><p>The strictest demand of each rule is marked. All examples are invented, and are tried by the code that checks passwords. If a source has several policies, each applies to some of its accounts.</p>
<div class="scroll"><table class="cards"><caption class="sr">Rules, who demands them, and an example that breaks each</caption><thead><tr><th scope="col">Rule</th>${columnsOf(group).map((source) => html`<th scope="col">${source ?? `policy ${fit.policy}`}</th>`)}<th scope="col">Breaks it</th></tr></thead><tbody>${group.rows.map((row) => ruleRow(group, row))}</tbody></table></div>
${fit.notGuaranteed.length > 0 && html`<h2>What the policy does not guarantee</h2><p>A source may refuse such a password although the policy accepts it.</p><ul>${fit.notGuaranteed.map((says) => html`<li>${says}</li>`)}</ul>`}
${fit.unread.length > 0 && html`<p class="verdict busy">No check has read the rules of ${fit.unread.map((source, index) => html`${index > 0 && ', '}<a href="/console/sources/${encodeURIComponent(source)}">${source}</a>`)}. Open the source, and choose Check. ${cliCommand('lockstep doctor', ...fit.unread)}</p>`}
<h2>Password filters</h2><p>A filter rewrites passwords for a source that does not accept every one. Try one on samples. Never type the password of a person: the page shows it.</p>
${trials.map((trial) => filterForm(name, trial))}
<p class="hint">${cliCommand('lockstep groups show', name)}</p>`,
  });
};

const verdictOf = ({ passes, fit, alone }: GroupPolicy): Html =>
  passes === null && fit.fits === null
    ? html`<div class="verdict bad" role="status"><p>No password satisfies all sources.</p><ul>${fit.impossible.map((says) => html`<li>${says}</li>`)}</ul></div>
<h2>What each accepts alone</h2><ul>${alone.map(({ source, policy, passes: one }) => html`<li>${policy}${source !== null && ` of ${source}`}: ${one === null ? 'nothing' : sample(one)}</li>`)}</ul>`
    : html`<p class="verdict good" role="status">Every source accepts: ${fit.fits}.</p>
${passes !== null && html`<p>For example ${sample(passes)}</p>`}`;

/** Long samples differ in length only, so the length is what is shown of their end. */
const sample = (text: string): Html => {
  const characters = [...text];
  return characters.length <= 40
    ? html`<code class="sample">${text}</code>`
    : html`<code class="sample">${characters.slice(0, 30).join('')}…</code> <small>${characters.length} characters</small>`;
};

/** The policy of the group first, then the sources that have shown rules. */
const columnsOf = ({ rows, sources }: GroupPolicy): (string | null)[] => [
  null,
  ...sources.filter((source) =>
    rows.some(({ bounds }) => bounds.some((bound) => bound.source === source)),
  ),
];

const ruleNames: Readonly<Record<string, string>> = {
  minLength: 'Minimum length',
  maxLength: 'Maximum length',
  minAlpha: 'Letters',
  minNonAlpha: 'Other than letters',
  minUpper: 'Upper-case letters',
  minLower: 'Lower-case letters',
  minNumeric: 'Digits',
  minSpecial: 'Special characters',
  minCharacterTypes: 'Kinds of characters',
  maxRepeatedChars: 'Repetition',
  history: 'History',
  minAgeSeconds: 'Minimum age',
  allowed: 'Allowed characters',
  notAllowed: 'Forbidden characters',
  identityWordMinLength: 'Words about the person',
  validateAgainstAccountName: 'Account names',
  validateAgainstAccountId: 'Account ids',
  dictionary: 'Dictionary',
  notCommon: 'Common passwords',
  blocklist: 'Leaked passwords',
  minStrength: 'Strength',
};

function ruleRow(group: GroupPolicy, { rule, bounds, fails }: GroupPolicy['rows'][number]): Html {
  const shared = bounds.length > 1;
  return html`<tr><th scope="row">${ruleNames[rule] ?? rule}</th>${columnsOf(group).map(
    (source) => {
      const here = bounds.filter((bound) => bound.source === source);
      return html`<td data-label="${source ?? `policy ${group.fit.policy}`}">${here.length === 0 && html`<span class="hint">–</span>`}${here.map(({ policy, says, strictest }) => html`<p>${says}${here.length > 1 && html` <small>${policy}</small>`}${shared && strictest && html` <span class="tag busy">strictest</span>`}</p>`)}</td>`;
    },
  )}<td data-label="Breaks it">${fails === null ? html`<span class="hint">no example</span>` : html`<span class="mark-bad" aria-hidden="true">✕</span> ${sample(fails)}`}</td></tr>`;
}

function filterForm(group: string, trial: FilterTrial): Html {
  const { source, tried, problems } = trial;
  const id = (input: string) => `${source}.${input}`;
  const isOpen = tried !== null || Object.keys(problems).length > 0;
  return html`<details${isOpen && html` open`} id="filter-${source}"><summary>${source}</summary><form method="post" action="/console/groups/${encodeURIComponent(group)}#filter-${source}" class="narrow"><input type="hidden" name="source" value="${source}">
${choiceField({ input: id('case'), label: 'Case', says: 'Converts every letter.' }, trial, [
  ['', 'unchanged'],
  ['upper', 'upper'],
  ['lower', 'lower'],
])}
${textField({ input: id('allowed'), label: 'Allowed characters', says: 'Such as A-Z0-9@#$.' }, trial)}
${textField({ input: id('replaceWith'), label: 'Replace others with', says: 'One character. Without it, others are removed.' }, trial)}
${textField({ input: id('maxLength'), label: 'Maximum length', says: 'The rest is cut off.' }, trial, html` inputmode="numeric"`)}
${textField({ input: id('minLength'), label: 'Minimum length', says: 'If less is left, the source gets nothing.' }, trial, html` inputmode="numeric"`)}
${textField({ input: id('sample'), label: 'A sample of your own', says: 'Invented. Never the password of a person.' }, trial, html` maxlength="200"`)}
<p><button>Try on samples</button></p></form>${tried !== null && samplesOf(tried)}</details>`;
}

const samplesOf = ({ samples, weakens }: FilteredSamples): Html =>
  html`${weakens !== null && html`<p class="verdict busy">${weakens}</p>`}<div class="scroll"><table class="cards"><caption class="sr">Samples</caption><thead><tr><th scope="col">Sample</th><th scope="col">The source gets</th><th scope="col">Its rules</th></tr></thead><tbody>${samples.map(
    ({ sample: text, written, broken }) =>
      html`<tr><th scope="row">${sample(text)}</th><td data-label="The source gets">${written === null ? html`<span class="tag bad">nothing</span> too little is left` : sample(written)}</td><td data-label="Its rules">${broken.length === 0 ? (written === null ? '' : html`<span class="tag good">accepted</span>`) : broken.join(', ')}</td></tr>`,
  )}</tbody></table></div>`;
