import type { Presence } from '../../model/api/presence';
import type { SourceHistories } from '../../model/api/source-history';
import type { Source } from '../../model/api/sources';
import { type Html, html } from '../html';
import { counted } from '../texts/counted';
import { historyCell } from './history';
import { clock, type Desk, deskPage, titleBelow } from './shell';
import { sourceTools } from './source-tools';

export interface Now {
  readonly presence: Presence;
  readonly sources: readonly Source[];
  readonly history: SourceHistories;
  readonly mayOperate: boolean;
  readonly mayConnect: boolean;
}

/** The page that shows whether anything needs a person now, and what. */
export const nowPage = (desk: Desk, now: Now): string =>
  deskPage(desk, {
    title: 'Now',
    address: '/console',
    isLive: true,
    verdict: { tone: toneOf(now), says: verdictOf(now) },
    content: html`<div class="scroll"><table class="cards"><caption class="sr">Sources, those that need attention first</caption>
<thead><tr><th scope="col">Source</th><th scope="col">State</th><th scope="col">Waiting</th><th scope="col">Parked</th><th scope="col">Last 24 hours</th><th scope="col">Actions</th></tr></thead>
<tbody>${[...now.sources].sort((one, other) => urgency(other) - urgency(one)).map((source) => sourceRow(source, now))}</tbody></table></div>
${now.mayConnect && html`<p><a href="/console/connect">Connect a source</a></p>`}`,
  });

/** Sources that need a person come first, then those that Lockstep handles itself. */
const urgency = ({ state, parked, waiting }: Source): number =>
  (state === 'paused' ? 1e9 : 0) +
  (state === 'down' ? 1e8 : 0) +
  Math.min(parked, 1e4) * 1e3 +
  Math.min(waiting, 999);

const toneOf = (now: Now): 'good' | 'busy' | 'bad' => {
  if (needing(now).length > 0) return 'bad';
  return now.sources.some(({ state, waiting }) => state !== 'up' || waiting > 0) ? 'busy' : 'good';
};

/** What needs a person, one sentence each. */
function needing({ presence, sources }: Now): string[] {
  const parked = sources.filter(({ parked }) => parked > 0);
  const stopped = sum(parked.map(({ parked: count }) => count));
  return [
    ...(presence.waitingFor === 'worker'
      ? ['No worker runs, so every change waits. Start a worker.']
      : []),
    ...(presence.waitingFor === 'engine'
      ? ['No worker can use Temporal, so every change waits. Run "lockstep doctor".']
      : []),
    ...(presence.keyStoreProblems.length === 0
      ? []
      : [
          'New credentials of applications cannot be sealed, so changes of mapped accounts wait. Run "lockstep doctor".',
        ]),
    ...(presence.sealing === 'ready'
      ? []
      : ['The API cannot seal passwords, so it accepts no change. Run "lockstep doctor".']),
    ...sources.flatMap(({ name, state, says, pausedUntil }) =>
      state === 'paused' && pausedUntil === null ? [`${name} is paused. ${says}`] : [],
    ),
    ...(parked.length === 0
      ? []
      : [
          `${counted(stopped, '1 account is', `${stopped} accounts are`)} parked in ${parked.map(({ name }) => name).join(', ')} until an operator retries or cancels ${counted(stopped, 'it', 'them')}.`,
        ]),
  ];
}

function verdictOf(now: Now): string {
  const needs = needing(now);
  const down = now.sources.filter(({ state }) => state === 'down');
  const waiting = sum(now.sources.map((source) => source.waiting));
  const facts = [
    ...(down.length > 0 ? [`${down.map(({ name }) => name).join(', ')} cannot be reached.`] : []),
    ...(waiting > 0
      ? [
          counted(
            waiting,
            '1 account waits; Lockstep retries it by itself.',
            `${waiting} accounts wait; Lockstep retries them by itself.`,
          ),
        ]
      : []),
  ];
  if (needs.length > 0) return [...needs, ...facts].join(' ');
  return [...facts, 'Nothing needs you now.'].join(' ');
}

const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);

const tones = { up: 'good', down: 'busy', paused: 'bad' } as const;

function sourceRow(source: Source, { history, mayOperate }: Now): Html {
  const { name, state, since, says, reason, nextProbeAt, pausedUntil, waiting, parked, enabled } =
    source;
  return html`<tr><th scope="row"><a href="/console/sources/${encodeURIComponent(name)}">${name}</a>${titleBelow(name, source)}<br><small>${source.kind}</small></th>
<td data-label="State"><span class="tag ${enabled ? tones[state] : 'off'}">${enabled ? state : 'switched off'}</span>
${state !== 'up' && html`<p>${says}</p><p class="hint">${since !== null && `Since ${clock(since)}. `}${nextProbeAt !== null && `Next probe ${clock(nextProbeAt)}. `}${pausedUntil !== null && `Ends ${clock(pausedUntil)}. `}${reason !== null && html`<a href="/errors/${reason}">${reason}</a>`}</p>`}</td>
<td class="number" data-label="Waiting">${waiting}</td><td class="number" data-label="Parked">${parked}</td>
<td data-label="Last 24 hours">${history.sources.map((one) => one.source === name && historyCell(one, history.until))}</td>
<td>${mayOperate && html`<div class="tools">${sourceTools(source)}</div>`}</td></tr>`;
}
