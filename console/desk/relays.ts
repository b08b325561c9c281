import type { Relay } from '../../model/api/relays';
import { type Html, html } from '../html';
import { cliCommand, clock, type Desk, deskPage } from './shell';

/** The programs that capture changes in the sources, those with trouble first. */
export const relaysPage = (desk: Desk, relays: readonly Relay[]): string => {
  const used = relays.filter(({ revokedAt }) => revokedAt === null);
  const troubled = used.filter((relay) => troublesOf(relay).length > 0);
  return deskPage(desk, {
    title: 'Relays',
    address: '/console/relays',
    isLive: true,
    content: html`<p class="verdict ${troubled.length > 0 ? 'bad' : 'good'}">${verdictOf(used, troubled)}</p>
${used.length > 0 && html`<div class="scroll"><table class="cards"><caption class="sr">Relays</caption><thead><tr><th scope="col">Relay</th><th scope="col">State</th><th scope="col">Heard</th><th scope="col">Queued</th><th scope="col">Received</th></tr></thead><tbody>${[...used].sort((one, other) => troublesOf(other).length - troublesOf(one).length).map(relayRow)}</tbody></table></div>`}
<p class="hint">${cliCommand('lockstep captures')}</p>`,
  });
};

/** A relay contacts the API every 15 seconds; after two missed contacts something is wrong. */
const SILENT_MS = 45_000;

/** What is wrong with a relay, one sentence each. */
function troublesOf({ heardAt, silentMs, trouble, lost, missed, quarantined }: Relay): string[] {
  return [
    ...(heardAt === null ? ['It has never contacted the API.'] : []),
    ...(silentMs !== null && silentMs > SILENT_MS ? ['It has stopped contacting the API.'] : []),
    ...(trouble === null ? [] : [trouble]),
    ...(lost > 0 ? [`${lost} captures are lost; the audit records each.`] : []),
    ...(missed > 0
      ? [`${missed} times the source trimmed changes before the relay read them.`]
      : []),
    ...(quarantined > 0 ? [`${quarantined} damaged spool segments are set apart.`] : []),
  ];
}

function verdictOf(used: readonly Relay[], troubled: readonly Relay[]): string {
  if (used.length === 0)
    return 'No relay is registered. Captures can still arrive over HTTP, over SCIM and from adapters.';
  if (troubled.length === 0) return 'Every relay works.';
  const sources = [...new Set(troubled.map(({ source }) => source))];
  return `${troubled.length} of ${used.length} relays have trouble: ${sources.join(', ')}.`;
}

function relayRow(relay: Relay): Html {
  const { id, source, host, version, heardAt, backlog, oldestAt, open, received } = relay;
  const troubles = troublesOf(relay);
  return html`<tr><th scope="row">${source}<br><small>${host ?? id}${version !== null && `, version ${version}`}</small></th>
<td data-label="State"><span class="tag ${troubles.length > 0 ? 'bad' : 'good'}">${troubles.length > 0 ? 'trouble' : 'works'}</span>${troubles.map((says) => html`<p>${says}</p>`)}</td>
<td data-label="Heard">${heardAt === null ? 'never' : clock(heardAt)}</td>
<td data-label="Queued">${backlog} at the relay, ${open} at Lockstep${oldestAt !== null && html`<br><small>oldest ${clock(oldestAt)}</small>`}</td>
<td class="number" data-label="Received">${received}</td></tr>`;
}
