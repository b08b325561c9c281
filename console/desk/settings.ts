import type {
  ConfigurationPlan,
  ConfigurationVersions,
  GroupFit,
} from '../../model/api/configuration';
import { type Html, html } from '../html';
import { issueBox, type Meanwhile, meanwhileBox, planOf, signInBox } from './plan';
import { cliCommand, clock, type Desk, deskPage } from './shell';

export interface Settings {
  /** The text of the configuration, as YAML. */
  readonly text: string;
  readonly fit: readonly GroupFit[];
  readonly versions: ConfigurationVersions['versions'];
  /** What the text would change; null before it was planned. */
  readonly plan: ConfigurationPlan | null;
  readonly issues: readonly string[];
  /** The version of the configuration that the text was made from. */
  readonly version: number;
  /** What others have applied since; null if nothing. */
  readonly meanwhile: Meanwhile | null;
  /** The sign-in that the user has to repeat before the text can be applied; null if none. */
  readonly signIn: string | null;
}

/** The configuration as text, what a new text would change, and whether the groups suit their sources. */
export const settingsPage = (
  desk: Desk,
  { text, fit, versions, plan, issues, version, meanwhile, signIn }: Settings,
): string =>
  deskPage(desk, {
    title: 'Configuration',
    address: '/console/settings',
    content: html`<p><a class="button" href="/console/connect">Connect a source</a></p>
${issueBox(issues, 'This text is not a valid configuration')}
${meanwhileBox(meanwhile, outdated)}
${signInBox(signIn)}
${plan !== null && planOf(plan)}
<form method="post" action="/console/settings"><p class="field"><label for="text">lockstep.yaml</label><textarea class="code" id="text" name="text" spellcheck="false" autocomplete="off" data-1p-ignore>${text}</textarea></p>
<input type="hidden" name="version" value="${version}">
<div class="tools"><button name="do" value="plan">Show what would change</button>${plan !== null && plan.differences.length > 0 && html`<button name="do" value="apply" class="primary">Apply</button>`}${cliCommand('lockstep plan -f lockstep.yaml')}</div></form>
<h2>Groups</h2>${fit.length === 0 ? html`<p>No sources share a password yet. Connect a source, and choose a group for it.</p>` : fit.map(fitOf)}
<h2>Versions</h2>${versions.length === 0 && html`<p>No configuration was applied yet.</p>`}<ul>${versions.map(({ version: one, appliedAt, appliedBy }) => html`<li>Version ${one}, ${clock(appliedAt)}, by ${appliedBy.says} <a href="/console/settings?version=${one}">open<span class="sr"> version ${one}</span></a></li>`)}</ul>
<p class="hint">To roll back, open an older version and apply its text.</p>`,
  });

const outdated = html`Your text is below, but it is outdated: to apply it would undo what they changed. Put their changes into your text, from <a href="/console/settings" target="_blank" rel="noopener">the configuration in force in a new tab</a>.`;

const fitOf = ({
  group,
  policy,
  impossible,
  notGuaranteed,
  fits,
  unread,
}: GroupFit): Html => html`<h3><a href="/console/groups/${encodeURIComponent(group)}">${group}</a></h3><p>Policy ${policy}. ${fits === null ? 'No password satisfies all sources.' : `Every source accepts: ${fits}`}</p>
<ul>${[...impossible, ...notGuaranteed].map((says) => html`<li>${says}</li>`)}</ul>${unread.length > 0 && html`<p class="hint">Not checked yet: ${unread.join(', ')}. ${cliCommand('lockstep doctor')}</p>`}`;
