import type { ConfigurationPlan } from '../../model/api/configuration';
import type { ConnectorKindRow } from '../../model/api/connectors';
import type { CandidateCheck } from '../../model/api/job-results';
import type { Configuration } from '../../model/configuration/document';
import { type Html, html, inline } from '../html';
import { inputs, NEW_GROUP, NEW_POLICY, NO_GROUP, OWN_PASSWORD } from './connect-document';
import { checkResult, planResult } from './connect-parts';
import { choiceField, type Filled, settingField, textField } from './field-html';
import type { FieldSpec } from './form-fields';
import { type Meanwhile, meanwhileBox } from './plan';
import { cliCommand, type Desk, deskPage } from './shell';

export const CONNECT = '/console/connect';

/** The page on which an administrator chooses what to connect. */
export const kindsPage = (desk: Desk, kinds: readonly ConnectorKindRow[]): string =>
  deskPage(desk, {
    title: 'Connect a source',
    address: '',
    content: html`<p class="intro">A source is a system with accounts whose passwords Lockstep keeps the same. What is it?</p>
<ul class="accounts">${kinds.map(
      ({ kind, title, proof, needs }) =>
        html`<li><span class="mark" aria-hidden="true">›</span><div><p class="what"><a href="${CONNECT}/${kind}"><strong>${title}</strong></a></p>
<p class="hint">${proofs[proof]} <code>${kind}</code></p>${needs.length > 0 && html`<details><summary>What it needs</summary><ul>${needs.map((says) => html`<li>${inline(says)}</li>`)}</ul></details>`}</div></li>`,
    )}</ul><p class="hint">${cliCommand('lockstep sources kinds')}</p>`,
  });

const proofs = {
  login: 'A login verifies each new password.',
  hash: 'The stored hash verifies each new password.',
  none: 'New passwords cannot be verified there.',
} as const;

export interface ConnectForm extends Filled {
  readonly kind: ConnectorKindRow;
  readonly fields: readonly FieldSpec[];
  readonly secretPlaces: readonly { readonly folder: string; readonly prefix: string }[];
  readonly configuration: Configuration;
  /** A sentence about why nothing was done; empty if there is none. */
  readonly problem: string;
  /** What others have applied since the plan was shown; null if nothing. */
  readonly meanwhile: Meanwhile | null;
  /** The sign-in that the user has to repeat; null if none. */
  readonly signIn: string | null;
  readonly check: CandidateCheck | null;
  /** Whether the settings are those of the last check that found them usable. */
  readonly isTested: boolean;
  /** The settings of that check as text, which the form sends back. */
  readonly tested: string;
  readonly plan: ConfigurationPlan | null;
  readonly yaml: { readonly added: string; readonly whole: string };
  /** The names of attributes that the accounts have. */
  readonly attributes: readonly string[];
}

/** One form from the name of the source to the plan. Each button shows it again with all that was typed. */
export const connectPage = (desk: Desk, form: ConnectForm): string =>
  deskPage(desk, {
    title: 'Connect a source',
    address: '',
    content: html`<p class="intro">${form.kind.title}. <a href="${CONNECT}">Choose another kind</a></p>${problemOf(form)}
<form method="post" action="${CONNECT}/${form.kind.kind}#result" class="narrow">
<input type="hidden" name="tested" value="${form.tested}"><input type="hidden" name="attributes" value="${form.attributes.join(' ')}"><input type="hidden" name="version" value="${form.plan?.version ?? ''}">
${namePart(form)}${settingsPart(form)}${testPart(form)}${peoplePart(form)}${groupPart(form)}${planPart(form)}</form>
<p class="hint">The same from a file: ${cliCommand('lockstep sources try -f lockstep.yaml', form.typed(inputs.name) || 'SOURCE')}, then ${cliCommand('lockstep apply -f lockstep.yaml')}</p>`,
  });

function problemOf({ problem, problems, signIn, meanwhile }: ConnectForm): Html | false {
  if (meanwhile !== null)
    return html`<div id="result">${meanwhileBox(meanwhile, 'What you typed is below. Show again what would change, then connect the source.')}</div>`;
  if (signIn !== null)
    return html`<div class="problem" role="alert" id="result"><p>Nothing was done. It needs a recent sign-in. <a href="${signIn}" target="_blank" rel="noopener">Sign in again in a new tab</a>, then choose the same button here.</p></div>`;
  const all = Object.entries(problems);
  if (problem === '' && all.length === 0) return false;
  return html`<div class="problem" role="alert" id="result"><h2>Not yet</h2>${problem !== '' && html`<p>${problem}</p>`}${all.length > 0 && html`<ul>${all.map(([input, says]) => html`<li><a href="#${input}">${says}</a></li>`)}</ul>`}</div>`;
}

const namePart = (form: ConnectForm): Html => html`<h2>1. What is it called?</h2>
${textField({ input: inputs.name, label: 'Name of the source', required: true, says: 'Lower-case letters, digits and hyphens. Commands and the audit use it, and it stays.' }, form, html` pattern="[a-z][a-z0-9\\-]{0,39}" maxlength="40"`)}
<details${inputs.titles.some((input) => form.typed(input) !== '') && html` open`}><summary>What people read instead</summary>
${textField({ input: 'title-en', label: 'Title in English', says: 'Such as “Expenses”. People see it on their pages and in mails.' }, form, html` maxlength="60"`)}
${textField({ input: 'title-de', label: 'Title in German', says: 'Without it, the English title.' }, form, html` maxlength="60"`)}
${textField({ input: 'hint-en', label: 'Hint in English', says: 'A sentence below the title, such as what to do after a change.' }, form, html` maxlength="300"`)}
${textField({ input: 'hint-de', label: 'Hint in German', says: 'Without it, the English hint.' }, form, html` maxlength="300"`)}</details>`;

/** Settings that are often needed although they are optional. */
const common = ['ca', 'serverName', 'attributes'];
/** A secret that few sources need. */
const rare = 'clientKey';

function settingsPart(form: ConnectForm): Html {
  const first = ({ required, secret, setting }: FieldSpec) =>
    required || (secret && setting !== rare) || common.includes(setting);
  const later = form.fields.filter((field) => !first(field));
  const isFilled = ({ input, options }: FieldSpec) =>
    [input, ...options.map((one) => `${input}-${one}`)].some(
      (name) => form.typed(name) !== '' || Object.hasOwn(form.problems, name),
    );
  const help = secretHelp(form);
  return html`<h2>2. How does Lockstep reach it?</h2>
${form.fields.filter(first).map((field) => settingField(field, form, help))}
${later.length > 0 && html`<details${later.some(isFilled) && html` open`}><summary>More settings (${later.length})</summary>${later.map((field) => settingField(field, form, help))}</details>`}`;
}

const secretHelp = ({ secretPlaces }: ConnectForm): string =>
  secretPlaces.length === 0
    ? 'Write a reference such as ${file:crm}, never the secret itself.'
    : `Write a reference, never the secret itself: \${file:NAME} for a file in ${secretPlaces.map(({ folder }) => folder).join(' or ')} on the machine of the worker, or \${env:NAME} for a variable that begins with ${secretPlaces.map(({ prefix }) => prefix).join(' or ')}.`;

const testPart = (form: ConnectForm): Html => {
  const { check, isTested, problem, problems, signIn, plan, meanwhile } = form;
  const isShown =
    signIn === null && meanwhile === null && problem === '' && Object.keys(problems).length === 0;
  return html`<h2>3. Does it work?</h2><p>A worker signs in to the source with these settings and reads its rules and its first accounts. It changes nothing there.</p>
<p><button name="do" value="test"${check === null && !isTested && html` class="primary"`}>Test the connection</button></p>
${check !== null && html`<div${isShown && plan === null && html` id="result"`}>${checkResult(check)}</div>`}
${check === null && isTested && html`<p class="verdict good">These settings worked in the last test.</p>`}`;
};

function peoplePart(form: ConnectForm): Html {
  const { attributes } = form;
  const list = html` list="account-attributes"`;
  const pair = (rule: string, first: string) => html`<div class="pair-of-fields">
${textField({ input: `${rule}-account`, label: `${first}ccount attribute`, says: 'Such as mail.' }, form, list)}
${textField({ input: `${rule}-person`, label: 'Person attribute', says: '“name” is the name of the person.' }, form)}</div>`;
  return html`<h2>4. Whose accounts are these?</h2><p>An account belongs to the person whose attribute has the same value. Without a rule, accounts are linked by hand.</p>
<datalist id="account-attributes">${attributes.map((name) => html`<option value="${name}">`)}</datalist>
${pair('match', 'A')}${pair('match2', 'Or a')}
${textField({ input: inputs.createBy, label: 'Add unknown people, named by the attribute', says: 'Only for a system that knows all people, such as the directory of the company.' }, form, list)}`;
}

function groupPart(form: ConnectForm): Html {
  const { configuration } = form;
  const sources = Object.keys(configuration.sources);
  const policies = Object.keys(configuration.policies);
  const isNew = form.typed(inputs.group) === NEW_GROUP;
  const isOwn = form.typed(inputs.group) === OWN_PASSWORD;
  return html`<h2>5. Which password does it share?</h2>
${choiceField(
  { input: inputs.group, label: 'Group', says: 'The sources of a group have one password.' },
  form,
  [
    [NO_GROUP, 'None yet: it gets no passwords'],
    ...Object.keys(configuration.groups).map(
      (name) => [name, `The password of the group ${name}`] as const,
    ),
    [OWN_PASSWORD, 'A password of its own'],
    ...(sources.length > 0 ? [[NEW_GROUP, 'A new group with another source'] as const] : []),
  ],
)}
<details${(isNew || isOwn) && html` open`}><summary>For a password of its own, or a new group</summary>
${choiceField(
  { input: inputs.policy, label: 'Policy', says: 'The rules for its passwords.' },
  form,
  [
    ...policies.map((name) => [name, name] as const),
    [NEW_POLICY, 'A new one: 15 characters, no common ones (NIST SP 800-63B)'],
  ],
)}
${
  sources.length > 0 &&
  html`${textField({ input: inputs.newGroup, label: 'Name of the new group', says: 'Lower-case letters, digits and hyphens.' }, form)}
${choiceField(
  { input: inputs.other, label: 'Other source of the group', says: '' },
  form,
  sources.map((name) => [name, name] as const),
)}
${choiceField(
  {
    input: inputs.auth,
    label: 'Which of the two is changed first?',
    says: 'If it refuses a password, nothing else is attempted.',
  },
  form,
  [
    ['other', 'the other source'],
    ['this', 'this source'],
  ],
)}`
}</details>`;
}

const planPart = (form: ConnectForm): Html => html`<h2>6. What would change?</h2>
${!form.isTested && html`<p class="hint">These settings are not tested yet.</p>`}
<div class="tools"><button name="do" value="plan"${form.isTested && form.plan === null && html` class="primary"`}>Show what would change</button>${form.plan !== null && html`<button name="do" value="apply" class="primary">Connect the source</button>`}</div>
${form.plan !== null && html`<div${form.signIn === null && form.meanwhile === null && form.problem === '' && html` id="result"`}>${planResult(form.plan, form.yaml)}</div>`}`;
