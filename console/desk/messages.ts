import type { ListedMessages } from '../../model/api/adapter-status';
import { type Html, html } from '../html';
import { clock } from './shell';

type Message = ListedMessages['messages'][number];
type Result = NonNullable<Message['result']>;

const results: Readonly<Record<Result, { readonly title: string; readonly tone: string }>> = {
  applied: { title: 'applied', tone: 'good' },
  already_current: { title: 'already current', tone: 'good' },
  retry: { title: 'asked to try again', tone: 'busy' },
  rejected: { title: 'rejected', tone: 'bad' },
  not_acknowledged: { title: 'not acknowledged', tone: 'bad' },
  too_old: { title: 'too old', tone: 'bad' },
};

/** The messages to an adapter that pulls: how many ended with each result, and the newest. */
export const messageSection = ({ results: counts, messages }: ListedMessages): Html =>
  html`<h2>Messages</h2>${
    messages.length === 0
      ? html`<p>There was no message in the last day.</p>`
      : html`<p>Of the last day: ${
          (Object.keys(results) as Result[])
            .filter((result) => (counts[result] ?? 0) > 0)
            .map((result) => `${counts[result]} ${results[result].title}`)
            .join(', ') || 'no result yet'
        }.</p>
<div class="scroll"><table class="cards"><caption class="sr">Messages</caption><thead><tr><th scope="col">Account</th><th scope="col">Result</th><th scope="col">Deliveries</th><th scope="col">Time</th></tr></thead><tbody>${messages.map(messageRow)}</tbody></table></div>`
  }`;

function messageRow(message: Message): Html {
  const { id, change, account, createdAt, deliveries, settledAt } = message;
  return html`<tr><th scope="row"><a href="/console/changes/${change}">${account}</a><br><small>${id}</small></th>
<td data-label="Result">${resultOf(message)}</td><td class="number" data-label="Deliveries">${deliveries}</td>
<td data-label="Time">${clock(settledAt ?? createdAt)}</td></tr>`;
}

function resultOf({ result, says, code, deliveries, leasedUntil }: Message): Html {
  if (result !== null)
    return html`<span class="tag ${results[result].tone}">${results[result].title}</span>${says !== null && html`<p>${says}</p>`}${code !== null && html`<p><small>code ${code}</small></p>`}`;
  return deliveries === 0
    ? html`<span class="tag busy">not delivered</span>`
    : html`<span class="tag busy">unacknowledged</span>${leasedUntil !== null && html`<p><small>delivered again after ${clock(leasedUntil)}</small></p>`}`;
}
