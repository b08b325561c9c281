import type {
  ConfigurationDifferences,
  ConfigurationPlan,
  ConfigurationVersions,
} from '../../model/api/configuration';
import { type Html, html } from '../html';
import { counted } from '../texts/counted';
import { clock } from './shell';

/** What a configuration would change. */
export const planOf = ({
  differences,
  deletes,
  warnings,
}: ConfigurationPlan): Html => html`<section aria-labelledby="plan"><h2 id="plan">What would change</h2>
${differences.length === 0 ? html`<p>Nothing.</p>` : differenceList(differences)}
${deletes.map(({ section, name, accounts, mappings }) => html`<p>${section}.${name} has ${accounts} linked ${counted(accounts, 'account', 'accounts')} and ${mappings} ${counted(mappings, 'mapping', 'mappings')}; they are kept, but get no passwords.</p>`)}
${warnings.length > 0 && html`<h3>Warnings</h3><ul>${warnings.map((says) => html`<li>${says}</li>`)}</ul>`}</section>`;

type Values = ConfigurationPlan['differences'][number]['values'];

/** Entries that differ, and each field of an update with its value before and after. */
export const differenceList = (
  differences: readonly (Pick<
    ConfigurationPlan['differences'][number],
    'action' | 'section' | 'name'
  > & { readonly values: Values })[],
): Html =>
  html`<ul class="diff">${differences.map(
    ({ action, section, name, values }) =>
      html`<li class="${action}">${action} ${section}.${name}${values.length > 0 && html`<ul>${values.map(({ path, from, to }) => html`<li>${path}: ${valueText(from)} → ${valueText(to)}</li>`)}</ul>`}</li>`,
  )}</ul>`;

/** Longer values are cut; the text of the configuration has them. */
const MOST_SHOWN = 200;

function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'not set';
  const text = JSON.stringify(value);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}

/** What others have applied while a user typed. */
export interface Meanwhile {
  readonly versions: ConfigurationVersions['versions'];
  readonly differences: ConfigurationDifferences['differences'];
}

/** Tells that what was typed is outdated, and what has come between. @param says what the user can do */
export const meanwhileBox = (meanwhile: Meanwhile | null, says: Html | string): Html | false =>
  meanwhile !== null &&
  html`<div class="problem" role="alert"><h2>The configuration has changed since you opened this page</h2>
<ul>${meanwhile.versions.map(({ version, appliedAt, appliedBy }) => html`<li>Version ${version}, ${clock(appliedAt)}, by ${appliedBy.says}</li>`)}</ul>
<p>Nothing was applied. ${says}</p>${
    meanwhile.differences.length > 0 &&
    html`<h3>What they changed</h3>${differenceList(
      meanwhile.differences.map(({ action, section, name, fields }) => ({
        ...{ action, section, name, values: action === 'update' ? fields : [] },
      })),
    )}`
  }</div>`;

/** What is wrong with a configuration that was refused. */
export const issueBox = (issues: readonly string[], title: string): Html | false =>
  issues.length > 0 &&
  html`<div class="problem" role="alert"><h2>${title}</h2><ul>${issues.map((says) => html`<li>${says}</li>`)}</ul></div>`;

/** The link to the sign-in that a user has to repeat before a configuration is applied. */
export const signInBox = (signIn: string | null): Html | false =>
  signIn !== null &&
  html`<div class="problem" role="alert"><p>Nothing was applied. It needs a recent sign-in. <a href="${signIn}" target="_blank" rel="noopener">Sign in again in a new tab</a>, then choose Apply here.</p></div>`;
