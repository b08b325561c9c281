import type { Source, Waiting } from '../../model/api/sources';
import { MOST_WOKEN_PER_SECOND, WAKE_PER_SECOND } from '../../model/change/source-circuit';
import { span } from '../../model/span';
import { type Html, html } from '../html';
import { cliCommand, clock, type Desk, deskPage } from './shell';
import { accountsText, type Verb, verbTitles } from './source-tools';

export interface PreviewView {
  readonly source: Source;
  readonly verb: Verb;
  /** Only what waits for this reason; empty for everything. */
  readonly reason: string;
  /** What the command reaches. */
  readonly groups: Waiting['groups'];
  /** Whether it reaches more accounts than the page named on which the user chose it. */
  readonly hasGrown?: boolean;
}

/** Shows what a command for the accounts of a source would reach, before it is given. */
export const previewPage = (
  desk: Desk,
  { source, verb, reason, groups, hasGrown = false }: PreviewView,
): string => {
  const count = groups.reduce((sum, { accounts }) => sum + accounts, 0);
  const address = `/console/sources/${encodeURIComponent(source.name)}`;
  return deskPage(desk, {
    title: `${verbTitles[verb]} what waits for ${source.name}`,
    address: '',
    content: html`${
      count === 0
        ? html`<p class="verdict good">Nothing waits${reason !== '' && ` for this reason (${reason})`} now, so there is nothing to do.</p>`
        : html`${hasGrown && html`<div class="problem" role="alert"><p>More accounts wait now than this page showed, so nothing was done. Check the number, then choose again.</p></div>`}<p class="verdict busy">This reaches ${accountsText(count)}. Nothing has been done yet.</p>
<ul>${groups.map((group) => html`<li>${accountsText(group.accounts)}, ${group.state}${group.reason !== null && ` (${group.reason})`}: ${group.says} The oldest change is of ${clock(group.oldestAt)}.</li>`)}</ul>
<p>${consequences[verb]}</p>${form(source.name, verb, reason, count)}`
    }
<p><a href="${address}">Back to ${source.name}</a></p>`,
  });
};

const consequences = {
  retry:
    'Each account is tried again, the oldest changes first. If the source is down, one account probes it, and the others wait until it answers.',
  park: 'These accounts are not tried again until an operator retries them. They expire when their changes become too old.',
  cancel:
    'These accounts keep their old password, and their changes end without them. This cannot be undone; the person has to change the password again.',
} as const;

const form = (name: string, verb: Verb, reason: string, count: number): Html =>
  html`<form class="filters" method="post" action="/console/sources/${encodeURIComponent(name)}/${verb}"><input type="hidden" name="reason" value="${reason}"><input type="hidden" name="count" value="${count}">
<label>Accounts per second<input name="perSecond" type="number" min="1" max="1000" value="${WAKE_PER_SECOND}" required inputmode="numeric" aria-describedby="rate"></label>
<button class="primary">${verbTitles[verb]} ${accountsText(count)}</button></form>
<p class="hint" id="rate">At ${WAKE_PER_SECOND} per second this takes ${span(Math.max(1, count / WAKE_PER_SECOND) * 1000)}. A source that cannot take many logins at once needs a lower rate; ${MOST_WOKEN_PER_SECOND} is the most that Lockstep uses by itself.</p>
<p class="hint">${cliCommand(`lockstep sources ${verb} --per-second ${WAKE_PER_SECOND}${reason === '' ? '' : ` --reason ${reason}`}`, name)}</p>`;
