import type { Finding } from '../../model/api/job-results';
import type { SourceHistories } from '../../model/api/source-history';
import type { Source, Waiting } from '../../model/api/sources';
import { type Html, html } from '../html';
import { counted } from '../texts/counted';
import { findingList } from './connect-parts';
import { historySection } from './history';
import { conditionOf, conditionTones } from './now-verdict';
import { cliCommand, clock, commandButton, type Desk, deskPage, withCommand } from './shell';
import { accountsText, previewOf, sourceTools, type Verb, verbTitles } from './source-tools';

export interface SourceView {
  readonly source: Source;
  readonly groups: Waiting['groups'];
  readonly history: SourceHistories;
  /** What a worker has just found; null if no check was ordered. */
  readonly findings: readonly Finding[] | null;
  readonly mayOperate: boolean;
  readonly mayConfigure: boolean;
}

/** One source: its state, what waits for it by reason, and its last 24 hours. */
export const sourcePage = (
  desk: Desk,
  { source, groups, history, findings, mayOperate, mayConfigure }: SourceView,
): string =>
  deskPage(desk, {
    title: source.name,
    address: '',
    // The findings are of one check; a renewal would take them away.
    isLive: findings === null,
    verdict: {
      tone: conditionTones[conditionOf(source)],
      says: stateSays(source),
    },
    content: html`${titleOf(source)}<p>${source.kind}, ${source.accounts} linked ${counted(source.accounts, 'account', 'accounts')}${source.groups.length > 0 && `, in ${source.groups.join(', ')}`}. <a href="/console/changes?source=${encodeURIComponent(source.name)}">Its changes</a></p>
${mayConfigure && source.groups.length > 0 && html`<p>The rules of ${source.groups.map((group) => html`<a href="/console/groups/${encodeURIComponent(group)}">${group}</a> `)}</p>`}
${mayOperate && html`<div class="tools">${sourceTools(source)}${withCommand(commandButton(`/console/sources/${encodeURIComponent(source.name)}/refresh`, 'Refresh its accounts'), 'lockstep refresh', source.name)}</div>${toolHints(source)}`}
${findings !== null && html`<h2>What a worker has just found</h2>${findingList(findings)}`}
<h2>What waits, by reason</h2>${groups.length === 0 ? html`<p>Nothing waits for this source.</p>` : waitingTable(source, groups, mayOperate)}
<p class="hint">${cliCommand('lockstep sources waiting', source.name)}</p>
${history.sources.map((one) => historySection(one, history.until, source.state === 'up'))}
<p class="hint">${cliCommand('lockstep sources history', source.name)}</p>`,
  });

/** What each command reaches, and how long it takes. */
const toolHints = ({ state, accounts }: Source): Html =>
  html`<ul class="hint">${state !== 'paused' && html`<li>Pause: from now on nothing is written to ${accounts === 1 ? 'its account' : `its ${accounts} accounts`}; new passwords wait until someone resumes it.</li>`}${state === 'paused' && html`<li>Resume: what waits is written within seconds, the oldest changes first, at a rate that the source bears.</li>`}${state === 'down' && html`<li>Probe now: one account is tried at once, instead of at the next probe.</li>`}
<li>Check: a worker signs in and reads the rules of the source, for half a minute at most. It changes nothing.</li>
<li>Refresh: a worker reads every account of the source and links new ones to people. It writes no password. Large sources take minutes.</li></ul>`;

/** What people read about the source, in each language. */
const titleOf = ({ title, hint }: Source): Html =>
  html`<p class="hint">People read: “${title.en}”${title.de !== title.en && ` (de: “${title.de}”)`}${hint !== null && `, with the hint “${hint.en}”${hint.de === hint.en ? '' : ` (de: “${hint.de}”)`}`}</p>`;

/** The sentence about the state, with since when and until when. */
function stateSays({ state, says, since, nextProbeAt, pausedUntil }: Source): string {
  if (state === 'up') return `The source is up: ${says}.`;
  return [
    says,
    ...(since === null ? [] : [`Since ${clock(since)}.`]),
    ...(nextProbeAt === null ? [] : [`Next probe ${clock(nextProbeAt)}.`]),
    ...(pausedUntil === null ? [] : [`It ends ${clock(pausedUntil)}.`]),
  ].join(' ');
}

export const waitingTable = (
  source: Source,
  groups: SourceView['groups'],
  mayOperate: boolean,
): Html =>
  html`<div class="scroll"><table class="cards"><caption class="sr">What waits, by reason</caption><thead><tr><th scope="col">Reason</th><th scope="col">Accounts</th><th scope="col">Oldest change</th><th scope="col">Actions</th></tr></thead><tbody>${groups.map(
    (
      group,
    ) => html`<tr><th scope="row">${group.says}<br><small>${group.state}${group.reason !== null && html`, <a href="/errors/${group.reason}">${group.reason}</a>`}</small></th>
<td class="number" data-label="Accounts">${group.reason === null ? group.accounts : html`<a href="/console/changes?${new URLSearchParams({ source: source.name, reason: group.reason }).toString()}">${group.accounts}<span class="sr"> ${counted(group.accounts, 'account that waits', 'accounts that wait')} for ${group.reason}</span></a>`}</td><td data-label="Oldest change">${clock(group.oldestAt)}${group.nextTryAt !== null && html`<br><small>next try ${clock(group.nextTryAt)}</small>`}</td>
<td>${mayOperate && group.reason !== null && html`<div class="tools">${verbsOf(source, group).map((verb) => command(source.name, verb, group.reason, reached(groups, verb, group)))}</div>`}</td></tr>`,
  )}</tbody></table></div>`;

/** A paused source refuses retries, and what is parked is not parked again. */
const verbsOf = ({ state: isUp }: Source, { state }: SourceView['groups'][number]): Verb[] => [
  ...(isUp === 'paused' ? [] : ['retry' as const]),
  ...(state === 'parked' ? [] : ['park' as const]),
  'cancel',
];

/** How many accounts a command for a reason reaches: those that are parked for it, too. */
const reached = (
  groups: SourceView['groups'],
  verb: Verb,
  { reason }: SourceView['groups'][number],
): number =>
  groups
    .filter((group) => group.reason === reason && (verb !== 'park' || group.state === 'waiting'))
    .reduce((sum, { accounts }) => sum + accounts, 0);

/** Leads to the preview of a command. The title names how many accounts it reaches. */
const command = (name: string, verb: Verb, reason: string | null, accounts: number) =>
  html`<span class="pair"><a class="button" href="${previewOf(name, verb, reason)}">${verbTitles[verb]} ${accountsText(accounts)}</a>${cliCommand(`lockstep sources ${verb} --reason ${reason}`, name)}</span>`;
