import type { Finding } from '../../model/api/job-results';
import type { Source, Waiting } from '../../model/api/sources';
import { type Html, html } from '../html';
import { sentence } from './changes';
import { findingList } from './connect-parts';
import { cliCommand, clock, commandButton, type Desk, deskPage, withCommand } from './shell';

export interface SourceView {
  readonly source: Source;
  readonly groups: Waiting['groups'];
  /** What a worker has just found; null if no check was ordered. */
  readonly findings: readonly Finding[] | null;
  readonly mayOperate: boolean;
  readonly mayConfigure: boolean;
}

/** One source: its state, and what waits for it by reason, with what an operator can do about each reason. */
export const sourcePage = (
  desk: Desk,
  { source, groups, findings, mayOperate, mayConfigure }: SourceView,
): string =>
  deskPage(desk, {
    title: source.name,
    address: '',
    content: html`${titleOf(source)}<p class="verdict ${source.state === 'up' ? 'good' : source.state === 'down' ? 'busy' : 'bad'}">${source.state === 'up' ? sentence(source.says) : source.says}</p>
<p>${source.kind}, ${source.accounts} linked accounts, in ${source.groups.join(', ')}. <a href="/console/changes?source=${encodeURIComponent(source.name)}">Its changes</a></p>
${mayConfigure && source.groups.length > 0 && html`<p>The rules of ${source.groups.map((group) => html`<a href="/console/groups/${encodeURIComponent(group)}">${group}</a> `)}</p>`}
${mayOperate && html`<div class="tools">${withCommand(commandButton(`${at(source)}/check`, 'Check now'), 'lockstep doctor', source.name)}${withCommand(commandButton(`${at(source)}/refresh`, 'Refresh its accounts'), 'lockstep refresh', source.name)}</div>`}
${findings !== null && html`<h2>What a worker has just found</h2>${findingList(findings)}`}
<h2>What waits, by reason</h2>${groups.length === 0 ? html`<p>Nothing waits for this source.</p>` : waitingTable(source, groups, mayOperate)}
<p class="hint">${cliCommand('lockstep sources waiting', source.name)}</p>`,
  });

const at = ({ name }: Source): string => `/console/sources/${encodeURIComponent(name)}`;

/** What people read about the source, in each language. */
const titleOf = ({ title, hint }: Source): Html =>
  html`<p class="hint">People read: “${title.en}”${title.de !== title.en && ` (de: “${title.de}”)`}${hint !== null && `, with the hint “${hint.en}”${hint.de === hint.en ? '' : ` (de: “${hint.de}”)`}`}</p>`;

export const waitingTable = (
  source: Source,
  groups: SourceView['groups'],
  mayOperate: boolean,
): Html =>
  html`<div class="scroll"><table class="cards"><caption class="sr">What waits, by reason</caption><thead><tr><th scope="col">Reason</th><th scope="col">Accounts</th><th scope="col">Oldest change</th><th scope="col">Actions</th></tr></thead><tbody>${groups.map(
    (
      group,
    ) => html`<tr><th scope="row">${group.says}<br><small>${group.state}${group.reason !== null && `, ${group.reason}`}</small></th>
<td class="number" data-label="Accounts">${group.accounts}</td><td data-label="Oldest change">${clock(group.oldestAt)}${group.nextTryAt !== null && html`<br><small>next try ${clock(group.nextTryAt)}</small>`}</td>
<td>${mayOperate && group.reason !== null && html`<div class="tools">${verbsOf(source, group).map((verb) => command(source.name, verb, group))}</div>`}</td></tr>`,
  )}</tbody></table></div>`;

type Verb = 'retry' | 'park' | 'cancel';

/** A paused source refuses retries, and what is parked is not parked again. */
const verbsOf = ({ state: isUp }: Source, { state }: SourceView['groups'][number]): Verb[] => [
  ...(isUp === 'paused' ? [] : ['retry' as const]),
  ...(state === 'parked' ? [] : ['park' as const]),
  'cancel',
];

const titles = { retry: 'Retry', park: 'Park', cancel: 'Cancel' } as const;

/** A button that names how many accounts it reaches, so that nothing large happens by surprise. */
const command = (name: string, verb: Verb, { accounts, reason }: SourceView['groups'][number]) =>
  withCommand(
    commandButton(
      `/console/sources/${encodeURIComponent(name)}/${verb}`,
      `${titles[verb]} ${accounts === 1 ? '1 account' : `${accounts} accounts`}`,
      { reason: reason ?? '' },
    ),
    `lockstep sources ${verb} --reason ${reason}`,
    name,
  );
