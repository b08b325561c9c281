import type { SourceHistory } from '../../model/api/source-history';
import { type HistorySlot, outageText, totalsText } from '../../model/change/source-history';
import { type Html, html } from '../html';

/** The last 24 hours of a source, as a picture and in words. */

/** Units of the picture; it scales with its container. */
const SLOT_WIDTH = 10;
const UP_HEIGHT = 40;
const DOWN_HEIGHT = 20;
const OUTAGE_HEIGHT = 8;
/** An outage of a minute is visible. */
const OUTAGE_WIDTH = 4;
const HEIGHT = UP_HEIGHT + DOWN_HEIGHT + OUTAGE_HEIGHT;

/**
 * A picture of the 24 hours: written accounts above the line, refused ones below it, waiting ones as a step line, each to a
 * scale of its own, and the outages as bars at the bottom. So nothing depends on colour alone, and its label has the same in words.
 */
export function historyChart(
  { slots, outages }: Pick<SourceHistory, 'slots' | 'outages'>,
  until: Date,
): Html {
  const width = slots.length * SLOT_WIDTH;
  const from = slots[0]?.at ?? until;
  const scale = width / Math.max(1, until.getTime() - from.getTime());
  const at = (time: Date) => Math.max(0, (time.getTime() - from.getTime()) * scale);
  const most = Math.max(1, ...slots.map(({ applied }) => applied));
  const mostRefused = Math.max(1, ...slots.map(({ refused }) => refused));
  const bar = (kind: string, index: number, y: number, height: number) =>
    height > 0 &&
    html`<rect class="${kind}" x="${index * SLOT_WIDTH + 1}" y="${rounded(y)}" width="${SLOT_WIDTH - 2}" height="${rounded(height)}"/>`;
  return html`<svg class="history" viewBox="0 0 ${width} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${totalsText(slots, outages)}.">
<line class="axis" x1="0" y1="${UP_HEIGHT}" x2="${width}" y2="${UP_HEIGHT}"/>
${slots.map(({ applied, refused }, index) => [
  bar(
    'written',
    index,
    UP_HEIGHT - shareOf(applied, most, UP_HEIGHT),
    shareOf(applied, most, UP_HEIGHT),
  ),
  bar('refused', index, UP_HEIGHT, shareOf(refused, mostRefused, DOWN_HEIGHT - 2)),
])}
${waitingLines(slots).map((points) => html`<polyline class="waiting" points="${points}"/>`)}
${outages.map(({ condition, since, until: end }) => {
  const x = at(since);
  return html`<rect class="${condition}" x="${rounded(x)}" y="${HEIGHT - OUTAGE_HEIGHT}" width="${rounded(Math.max(OUTAGE_WIDTH, at(end ?? until) - x))}" height="${OUTAGE_HEIGHT}"/>`;
})}</svg>`;
}

/** The height for a count; one account is always visible. */
const shareOf = (count: number, most: number, height: number): number =>
  count === 0 ? 0 : Math.max(2, (count / most) * height);

/** A step line for each time in which accounts waited. */
function waitingLines(slots: readonly HistorySlot[]): string[] {
  const most = Math.max(1, ...slots.map(({ waiting }) => waiting));
  const lines: string[][] = [[]];
  for (const [index, { waiting }] of slots.entries()) {
    if (waiting === 0) {
      lines.push([]);
      continue;
    }
    const y = rounded(UP_HEIGHT + 1 - shareOf(waiting, most, UP_HEIGHT));
    lines.at(-1)?.push(`${index * SLOT_WIDTH},${y}`, `${(index + 1) * SLOT_WIDTH},${y}`);
  }
  return lines.filter((points) => points.length > 0).map((points) => points.join(' '));
}

const rounded = (value: number): number => Math.round(value * 10) / 10;

/** The history on the page of a source. @param isUp whether it is up now; a worker counts a few seconds after the fact */
export const historySection = (history: SourceHistory, until: Date, isUp: boolean): Html =>
  html`<h2>The last 24 hours</h2><p>${totalsText(history.slots, history.outages)}.</p>
<figure class="history">${historyChart(history, until)}<figcaption><span>${shortClock(history.slots[0]?.at ?? until, until)}</span><span class="legend"><span class="written">written</span> <span class="refused">refused</span> <span class="waiting">waiting</span> <span class="down">down or paused</span> each to its own scale</span><span>now</span></figcaption></figure>
${history.outages.length === 0 ? html`<p>${isUp ? 'It was neither down nor paused.' : 'A worker adds what is now in a few seconds.'}</p>` : html`<ol class="outages">${history.outages.map((outage) => html`<li class="${outage.condition}">${outageText(outage, (time) => shortClock(time, until))} <a href="/errors/${outage.reason}">What ${outage.reason} means</a></li>`)}</ol>`}
<details id="history-table"><summary class="more">The same as a table</summary><div class="scroll"><table><caption class="sr">The last 24 hours</caption><thead><tr><th scope="col">From</th><th scope="col">Written</th><th scope="col">Refused</th><th scope="col">Waiting</th></tr></thead><tbody>${[
    ...history.slots,
  ]
    .reverse()
    .map(
      ({ at, applied, refused, waiting }) =>
        html`<tr><th scope="row"><time datetime="${at.toISOString()}">${shortClock(at, until)}</time></th><td class="number">${applied}</td><td class="number">${refused}</td><td class="number">${waiting}</td></tr>`,
    )}</tbody></table></div></details>`;

/** The history in the row of a source: the picture, and the newest outage in words. */
export const historyCell = (history: SourceHistory, until: Date): Html =>
  html`${historyChart(history, until)}${history.outages.slice(0, 1).map((outage) => html`<p class="hint">${outageText(outage, (time) => shortClock(time, until))}</p>`)}`;

/** Hours and minutes; with the day, if that is not the day of `now`. */
export function shortClock(time: Date, now: Date): string {
  const day: Intl.DateTimeFormatOptions =
    time.toDateString() === now.toDateString() ? {} : { day: 'numeric', month: 'short' };
  return time.toLocaleString('en-GB', { ...day, hour: '2-digit', minute: '2-digit' });
}
