import type { Relay } from '../../model/api/relays';
import { relayProblemsOf } from '../../model/captures/relay-problems';
import { type Html, html } from '../html';
import { cliCommand, clock, type Desk, deskPage } from './shell';

/** The programs that capture changes in the sources, those with trouble first. */
export const relaysPage = (desk: Desk, relays: readonly Relay[]): string => {
  const used = relays.filter(({ revokedAt }) => revokedAt === null);
  const troubled = used.filter((relay) => relayProblemsOf(relay).length > 0);
  return deskPage(desk, {
    title: 'Relays',
    address: '/console/relays',
    isLive: true,
    content: html`<p class="verdict ${troubled.length > 0 ? 'bad' : 'good'}">${verdictOf(used, troubled)}</p>
${used.length > 0 && html`<div class="scroll"><table class="cards"><caption class="sr">Relays</caption><thead><tr><th scope="col">Relay</th><th scope="col">State</th><th scope="col">Heard</th><th scope="col">Queued</th><th scope="col">Received</th></tr></thead><tbody>${[...used].sort((one, other) => relayProblemsOf(other).length - relayProblemsOf(one).length).map(relayRow)}</tbody></table></div>`}
${used.length === 0 && html`<p>To capture changes where they are made, make a key with the scope relay-enrol for the source, and register a relay beside it. ${cliCommand('lockstep relay register')}</p>`}
<p class="hint">${cliCommand('lockstep captures')}</p>`,
  });
};

function verdictOf(used: readonly Relay[], troubled: readonly Relay[]): string {
  if (used.length === 0)
    return 'No relay is registered. Captures can still arrive over HTTP, over SCIM and from adapters.';
  if (troubled.length === 0) return 'Every relay works.';
  const sources = [...new Set(troubled.map(({ source }) => source))];
  return `${troubled.length} of ${used.length === 1 ? '1 relay has' : `${used.length} relays have`} trouble: ${sources.join(', ')}.`;
}

function relayRow(relay: Relay): Html {
  const { id, source, host, version, heardAt, backlog, oldestAt, open, received } = relay;
  const troubles = relayProblemsOf(relay);
  return html`<tr><th scope="row">${source}<br><small>${host ?? id}${version !== null && `, version ${version}`}</small></th>
<td data-label="State"><span class="tag ${troubles.length > 0 ? 'bad' : 'good'}">${troubles.length > 0 ? 'trouble' : 'works'}</span>${troubles.map((says) => html`<p>${source} (${id}): ${says}</p>`)}</td>
<td data-label="Heard">${heardAt === null ? 'never' : clock(heardAt)}</td>
<td data-label="Queued">${backlog} at the relay, ${open} at Lockstep${oldestAt !== null && html`<br><small>oldest ${clock(oldestAt)}</small>`}</td>
<td class="number" data-label="Received">${received}</td></tr>`;
}
