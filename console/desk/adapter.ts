import type { AdapterStatus, ListedMessages } from '../../model/api/adapter-status';
import type { ApiKey } from '../../model/api/keys';
import type { Source, Waiting } from '../../model/api/sources';
import { adapterSchema } from '../../model/configuration/adapter';
import { adapterFlags } from '../../model/configuration/adapter-edits';
import { type Html, html } from '../html';
import {
  ADAPTERS,
  adapterAddress,
  checkbox,
  directionTitles,
  onOff,
  stateOf,
  switchButton,
  waitingOf,
} from './adapters';
import { EDIT, editButton } from './edit';
import { messageSection } from './messages';
import { propertiesForm } from './properties';
import { cliCommand, clock, commandButton, type Desk, deskPage, withCommand } from './shell';
import { waitingTable } from './source';

export interface AdapterView {
  readonly status: AdapterStatus;
  readonly source: Source;
  readonly groups: Waiting['groups'];
  /** Null for a source whose adapter does not pull. */
  readonly messages: ListedMessages | null;
  /** The API keys that are bound to the adapter; null for a user who may not see keys. */
  readonly keys: readonly ApiKey[] | null;
  /** The applications of the source, by name. */
  readonly applications: readonly string[];
  readonly mayConfigure: boolean;
  readonly mayOperate: boolean;
}

/** One adapter: what it synchronizes, its flags and properties, and what waits for it. */
export const adapterPage = (desk: Desk, view: AdapterView): string => {
  const { status, source, groups, messages, keys, mayConfigure, mayOperate } = view;
  return deskPage(desk, {
    title: `Adapter ${status.source}`,
    address: ADAPTERS,
    content: html`${stateOf(status)}<ul>${waitingOf(status).map((says) => html`<li>${says}</li>`)}</ul>
<p><a href="/console/sources/${encodeURIComponent(status.source)}">Its source</a>, ${status.kind}, in ${source.groups.join(', ') || 'no group'}. <a href="/console/changes?source=${encodeURIComponent(status.source)}">Its changes</a></p>
${status.adapter !== null && mayConfigure && html`<div class="tools">${switchButton(status.source, status.adapter.enabled)}${!status.adapter.enabled && editButton('delete', 'Delete the adapter', { name: status.source }, ['lockstep adapters delete', status.source])}</div>`}
${status.adapter !== null ? html`<h2>Directions</h2>${directionTable(status)}` : html`<p>The source has no adapter block, so the switches and flags of single sign-on do not apply to it.</p>`}
${status.warnings.length > 0 && html`<h2>Warnings</h2><ul>${status.warnings.map((says) => html`<li>${says}</li>`)}</ul>`}
${status.adapter !== null && html`<h2>Applications</h2>${applicationList(status, mayConfigure)}`}
<h2>What waits, by reason</h2>${groups.length === 0 ? html`<p>Nothing waits for this adapter.</p>` : waitingTable(source, groups, mayOperate)}
${messages !== null && messageSection(messages)}
<h2>Repeated changes</h2><p>A capture of the same password within 10 minutes is discarded, and so is one of a password that Lockstep has written. Clear the history if an identical change has to count.</p>
${mayOperate && withCommand(commandButton(`${adapterAddress(status.source)}/reset`, 'Clear the history'), 'lockstep adapters reset', status.source)}
${mayConfigure && flagsForm(view)}
${mayConfigure && status.adapter !== null && status.properties !== null && propertiesForm(status.source, status.properties)}
<h2>Keys</h2>${keyList(status, keys)}`,
  });
};

const directionTable = ({ directions }: AdapterStatus): Html =>
  html`<div class="scroll"><table class="cards"><caption class="sr">Directions</caption><thead><tr><th scope="col">Direction</th><th scope="col">State</th><th scope="col">What keeps it from synchronizing</th></tr></thead><tbody>${directions.map(
    ({ direction, obstacles }) =>
      html`<tr><th scope="row">${directionTitles[direction]}</th><td data-label="State">${onOff(obstacles.length === 0)}</td><td>${obstacles.length === 0 ? 'nothing' : html`<ul>${obstacles.map((says) => html`<li>${says}</li>`)}</ul>`}</td></tr>`,
  )}</tbody></table></div>`;

function applicationList({ source, applications }: AdapterStatus, mayConfigure: boolean): Html {
  if (applications.length === 0)
    return html`<p>It serves none. ${cliCommand(`lockstep adapters add-app ${source} <application>`)}</p>`;
  return html`<ul class="plain">${applications.map(
    ({ name, label, enabled, mappings, enabledMappings }) =>
      html`<li><p><a href="/console/applications?application=${encodeURIComponent(name)}">${label}</a> <span class="tag ${enabled ? 'good' : 'off'}">${enabled ? 'enabled' : 'disabled'}</span> ${enabledMappings} of ${mappings} mappings enabled</p>
${mayConfigure && applicationButton(name, enabled)}</li>`,
  )}</ul>`;
}

/** Enables or disables an application, after what would change was shown. */
export const applicationButton = (name: string, enabled: boolean): Html =>
  editButton(
    `application-${enabled ? 'disable' : 'enable'}`,
    `${enabled ? 'Disable' : 'Enable'} ${name}`,
    { name },
    [`lockstep applications update ${name} --set enabled=${enabled ? 'no' : 'yes'}`],
  );

function flagsForm({ status: { source, adapter }, applications }: AdapterView): Html | false {
  if (adapter === null) return false;
  return html`<h2>Flags</h2><form method="post" action="${EDIT}" class="narrow"><input type="hidden" name="edit" value="flags"><input type="hidden" name="name" value="${source}">
<fieldset class="options"><legend>Flags of the adapter</legend>${adapterFlags.map((flag) => checkbox(flag, flag, adapterSchema.shape[flag].description ?? '', adapter[flag]))}</fieldset>
${applications.length > 0 && html`<fieldset class="options"><legend>Applications that it serves</legend>${applications.map((name) => html`<p><label><input type="checkbox" name="application:${name}" value="yes"${adapter.applications.includes(name) && html` checked`}>${name}</label></p>`)}</fieldset>`}
<p class="field"><label for="adapter-group">Group of adapters</label><input id="adapter-group" name="adapterGroup" value="${adapter.adapterGroup ?? ''}" autocomplete="off" data-1p-ignore></p>
<div class="tools"><button>Show what would change</button>${cliCommand(`lockstep adapters update ${source} --set …`)}</div></form>`;
}

function keyList({ source, properties }: AdapterStatus, keys: AdapterView['keys']): Html {
  const create = html`<p class="hint">${cliCommand(`lockstep keys create "adapter of ${source}" --scope ${properties === null ? 'capture' : `adapter --source ${source}`}`)}</p>`;
  if (properties === null)
    return html`<p>Lockstep calls this source itself. Its captures come from a relay, or from a key with the scope capture.</p>${create}`;
  if (keys === null) return html`<p>Only an administrator sees API keys.</p>`;
  return html`${keys.length === 0 ? html`<p>No API key is bound to this adapter, so its program cannot connect.</p>` : html`<ul>${keys.map(({ name, lastUsedAt, expiresAt }) => html`<li>${name}, ${lastUsedAt === null ? 'never used' : `last used ${clock(lastUsedAt)}`}${expiresAt !== null && `, until ${clock(expiresAt)}`}</li>`)}</ul>`}<p><a href="/console/keys">All keys</a></p>${create}`;
}
