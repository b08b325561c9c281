import type { ConfigurationPlan } from '../../model/api/configuration';
import { type Html, html } from '../html';
import { counted } from '../texts/counted';

/** What a configuration would change. */
export const planOf = ({
  differences,
  deletes,
  warnings,
}: ConfigurationPlan): Html => html`<section aria-labelledby="plan"><h2 id="plan">What would change</h2>
${differences.length === 0 ? html`<p>Nothing.</p>` : html`<ul class="diff">${differences.map(({ action, section, name, fields }) => html`<li class="${action}">${action} ${section}.${name}${fields.length > 0 && `: ${fields.join(', ')}`}</li>`)}</ul>`}
${deletes.map(({ section, name, accounts, mappings }) => html`<p>${section}.${name} has ${accounts} linked ${counted(accounts, 'account', 'accounts')} and ${mappings} ${counted(mappings, 'mapping', 'mappings')}; they are kept, but get no passwords.</p>`)}
${warnings.length > 0 && html`<h3>Warnings</h3><ul>${warnings.map((says) => html`<li>${says}</li>`)}</ul>`}</section>`;

/** What is wrong with a configuration that was refused. */
export const issueBox = (issues: readonly string[], title: string): Html | false =>
  issues.length > 0 &&
  html`<div class="problem" role="alert"><h2>${title}</h2><ul>${issues.map((says) => html`<li>${says}</li>`)}</ul></div>`;

/** The link to the sign-in that a user has to repeat before a configuration is applied. */
export const signInBox = (signIn: string | null): Html | false =>
  signIn !== null &&
  html`<div class="problem" role="alert"><p>Nothing was applied. It needs a recent sign-in. <a href="${signIn}" target="_blank" rel="noopener">Sign in again in a new tab</a>, then choose Apply here.</p></div>`;
