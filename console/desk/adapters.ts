import type { AdapterStatus, Adapters } from '../../model/api/adapter-status';
import type { MasterKeys } from '../../model/api/master-keys';
import type { SyncDirection } from '../../model/configuration/adapter-directions';
import { type Html, html } from '../html';
import { EDIT, editButton } from './edit';
import { masterKeySection } from './master-keys';
import { cliCommand, clock, type Desk, described, deskPage } from './shell';

export const ADAPTERS = '/console/adapters';

export interface AdaptersView extends Adapters {
  readonly masterKeys: MasterKeys;
  /** Sources that can become an adapter. */
  readonly others: readonly string[];
  readonly mayConfigure: boolean;
}

/** The adapters of single sign-on: what each one synchronizes, and why not; the switches and the master keys. */
export const adaptersPage = (desk: Desk, view: AdaptersView): string =>
  deskPage(desk, {
    title: 'Adapters of single sign-on',
    address: ADAPTERS,
    content: html`<p class="verdict ${toneOf(view.adapters)}">${verdictOf(view.adapters)}</p>
${view.adapters.length > 0 && adapterTable(view)}
<p class="hint">${cliCommand('lockstep adapters')} <a href="/console/applications">Applications and mappings</a></p>
${groupsOf(view)}
<h2>Directions for all adapters</h2>${switchForm(view)}
${view.mayConfigure && view.others.length > 0 && createForm(view.others)}
${masterKeySection(view.masterKeys)}`,
  });

/** Whether an adapter that pulls does not call although it is enabled. */
const isAway = ({ enabled, properties, connection }: AdapterStatus): boolean =>
  enabled && properties !== null && connection?.online !== true;

/** Whether at least one direction works. A source without a block is no subject of the switches. */
const synchronizes = ({ adapter, enabled, directions }: AdapterStatus): boolean =>
  adapter === null ? enabled : directions.some(({ obstacles }) => obstacles.length === 0);

function verdictOf(adapters: readonly AdapterStatus[]): string {
  const away = adapters.filter(isAway).map(({ source }) => source);
  const idle = adapters.filter((one) => !synchronizes(one)).map(({ source }) => source);
  if (adapters.length === 0) return 'No source is an adapter yet.';
  if (away.length > 0)
    return `${away.join(', ')} ${away.length === 1 ? 'is' : 'are'} offline. Start the program of the adapter.`;
  if (idle.length === adapters.length) return 'No adapter synchronizes anything now.';
  return idle.length === 0
    ? 'Every adapter works.'
    : `${idle.join(', ')} ${idle.length === 1 ? 'synchronizes' : 'synchronize'} nothing now. The others work.`;
}

function toneOf(adapters: readonly AdapterStatus[]): 'good' | 'busy' | 'bad' {
  if (adapters.some(isAway)) return 'bad';
  return adapters.every(synchronizes) && adapters.length > 0 ? 'good' : 'busy';
}

export const directionTitles: Readonly<Record<SyncDirection, string>> = {
  windowsToAdapters: 'Windows to adapter',
  adaptersToStore: 'Adapter to stored credential',
  adaptersToWindows: 'Adapter to Windows',
};

const adapterTable = ({ adapters, mayConfigure }: AdaptersView): Html =>
  html`<div class="scroll"><table class="cards"><caption class="sr">Adapters</caption><thead><tr><th scope="col">Adapter</th><th scope="col">State</th><th scope="col">Directions</th><th scope="col">Waiting</th><th scope="col">Actions</th></tr></thead><tbody>${adapters.map(
    (one) =>
      html`<tr><th scope="row"><a href="${adapterAddress(one.source)}">${one.source}</a><br><small>${one.kind}${one.adapter?.adapterGroup !== undefined && `, group ${one.adapter.adapterGroup}`}</small></th>
<td data-label="State">${stateOf(one)}</td>
<td data-label="Directions">${one.directions.map(({ direction, obstacles: [first] }) => html`<p>${onOff(first === undefined)} ${directionTitles[direction]}${first !== undefined && html`<br><small>${first}</small>`}</p>`)}</td>
<td data-label="Waiting">${waitingOf(one).map((says) => html`<p>${says}</p>`)}</td>
<td>${mayConfigure && one.adapter !== null && switchButton(one.source, one.adapter.enabled)}</td></tr>`,
  )}</tbody></table></div>`;

export const adapterAddress = (source: string): string =>
  `${ADAPTERS}/${encodeURIComponent(source)}`;

export const onOff = (on: boolean): Html =>
  html`<span class="tag ${on ? 'good' : 'off'}">${on ? 'on' : 'off'}</span>`;

/** Whether the adapter is enabled, and whether its program calls. */
export const stateOf = ({ enabled, properties, connection }: AdapterStatus): Html =>
  html`<p><span class="tag ${enabled ? 'good' : 'off'}">${enabled ? 'enabled' : 'disabled'}</span>
${properties !== null && html`<span class="tag ${connection?.online === true ? 'good' : 'bad'}">${connection?.online === true ? 'online' : 'offline'}</span>`}</p>
${properties !== null && html`<p><small>${connection === null ? 'It has never connected.' : `Since ${clock(connection.since)}. ${connection.receivedAt === null ? 'It has not asked for messages yet.' : `It last asked for messages ${clock(connection.receivedAt)}.`}`}</small></p>`}`;

/** What waits, one line each. */
export const waitingOf = ({
  connection,
  properties,
  waiting,
  parked,
  discarded,
}: AdapterStatus): string[] => [
  ...(properties === null
    ? []
    : [
        `${connection?.pending ?? 0} of ${properties.maxPending} messages unacknowledged`,
        `${connection?.stored ?? 0} messages not delivered`,
      ]),
  `${waiting} ${waiting === 1 ? 'account waits' : 'accounts wait'}${parked > 0 ? `, ${parked} parked` : ''}`,
  ...(discarded > 0 ? [`${discarded} repeated captures discarded in 24 hours`] : []),
];

export const switchButton = (source: string, enabled: boolean): Html => {
  const verb = enabled ? 'disable' : 'enable';
  const title = enabled ? 'Disable' : 'Enable';
  return editButton(`adapter-${verb}`, `${title} ${source}`, { name: source }, [
    `lockstep adapters ${verb}`,
    source,
  ]);
};

/** Adapters that are enabled and disabled together. */
function groupsOf({ adapters, mayConfigure }: AdaptersView): Html | false {
  const names = new Set(adapters.flatMap(({ adapter }) => adapter?.adapterGroup ?? []));
  if (names.size === 0) return false;
  return html`<h2>Groups of adapters</h2><ul class="plain">${[...names].sort().map((group) => {
    const members = adapters.filter(({ adapter }) => adapter?.adapterGroup === group);
    return html`<li><p><strong>${group}</strong>: ${members.map(({ source, enabled }) => `${source} (${enabled ? 'enabled' : 'disabled'})`).join(', ')}</p>
${mayConfigure && html`<div class="tools">${verbs.map(([verb, title]) => editButton(`group-${verb}`, `${title} all in ${group}`, { group }, [`lockstep adapters ${verb} --group`, group]))}</div>`}</li>`;
  })}</ul>`;
}

const verbs = [
  ['enable', 'Enable'],
  ['disable', 'Disable'],
] as const;

const switchSays: Readonly<Record<SyncDirection, string>> = {
  windowsToAdapters: 'Changes are written to the adapters that want them.',
  adaptersToStore: 'A password that an adapter reports updates the stored credential.',
  adaptersToWindows: 'A password that an adapter reports changes the directory, too.',
};

function switchForm({ switches, mayConfigure }: AdaptersView): Html {
  const directions = Object.keys(switchSays) as SyncDirection[];
  const command = html`<p class="hint">${cliCommand('lockstep sso switches')}</p>`;
  if (!mayConfigure)
    return html`<ul class="plain">${directions.map((direction) => html`<li>${onOff(switches[direction])} ${directionTitles[direction]}. <small>${switchSays[direction]}</small></li>`)}</ul>${command}`;
  return html`<p class="hint">A direction needs its switch here, and the flags of the adapter.</p>
<form method="post" action="${EDIT}" class="narrow"><input type="hidden" name="edit" value="switches">
<fieldset class="options"><legend>Switches</legend>${directions.map((direction) => checkbox(direction, `${directionTitles[direction]} (${direction})`, switchSays[direction], switches[direction]))}</fieldset>
<div class="tools"><button>Show what would change</button>${cliCommand('lockstep sso switches --set …')}</div></form>`;
}

/** A checkbox with a sentence that describes it. Its field is `yes`, or missing. */
export const checkbox = (name: string, title: string, says: string, checked: boolean): Html =>
  html`<p><label><input type="checkbox" name="${name}" value="yes"${checked && html` checked`} aria-describedby="${name}-says">${title}</label><br><small id="${name}-says">${described(says)}</small></p>`;

const createForm = (others: readonly string[]): Html =>
  html`<h2>Make a source an adapter</h2>
<form method="post" action="${EDIT}" class="filters"><input type="hidden" name="edit" value="create">
<label>Source<select name="name">${others.map((name) => html`<option>${name}</option>`)}</select></label><button>Show what would change</button>${cliCommand('lockstep adapters create <source>')}</form>
<p class="hint">It is disabled until you enable it.</p>`;
