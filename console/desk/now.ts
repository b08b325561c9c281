import type { Presence } from '../../model/api/presence';
import type { SourceHistories } from '../../model/api/source-history';
import type { Source } from '../../model/api/sources';
import { type Html, html } from '../html';
import { historyCell } from './history';
import { conditionOf, conditionTones, urgencyOf, verdictOf } from './now-verdict';
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
    verdict: verdictOf(now),
    content: html`${
      now.sources.length === 0
        ? html`<p>No source is connected yet, so Lockstep writes no password.</p>`
        : html`<div class="scroll"><table class="cards"><caption class="sr">Sources, those that need attention first</caption>
<thead><tr><th scope="col">Source</th><th scope="col">State</th><th scope="col">Waiting</th><th scope="col">Parked</th><th scope="col">Last 24 hours</th><th scope="col">Actions</th></tr></thead>
<tbody>${[...now.sources].sort((one, other) => urgencyOf(other) - urgencyOf(one)).map((source) => sourceRow(source, now))}</tbody></table></div>`
    }
${now.mayConnect && html`<p><a class="button" href="/console/connect">Connect a source</a></p>`}`,
  });

function sourceRow(source: Source, { history, mayOperate }: Now): Html {
  const { name, state, since, says, reason, nextProbeAt, pausedUntil, waiting, parked, enabled } =
    source;
  return html`<tr><th scope="row"><a href="/console/sources/${encodeURIComponent(name)}">${name}</a>${titleBelow(name, source)}<br><small>${source.kind}</small></th>
<td data-label="State"><span class="tag ${enabled ? conditionTones[conditionOf(source)] : 'off'}">${enabled ? state : 'switched off'}</span>
${state !== 'up' && html`<p>${says}</p><p class="hint">${since !== null && `Since ${clock(since)}. `}${nextProbeAt !== null && `Next probe ${clock(nextProbeAt)}. `}${pausedUntil !== null && `Ends ${clock(pausedUntil)}. `}${reason !== null && html`<a href="/errors/${reason}">${reason}</a>`}</p>`}</td>
<td class="number" data-label="Waiting">${waiting}</td><td class="number" data-label="Parked">${parked}</td>
<td data-label="Last 24 hours">${history.sources.map((one) => one.source === name && historyCell(one, history.until))}</td>
<td>${mayOperate && html`<div class="tools">${sourceTools(source)}</div>`}</td></tr>`;
}
