import type { StalePage } from '../../model/api/stale';
import { quoted } from '../../model/quoted';
import { html } from '../html';
import { choice } from './changes';
import { cliCommand, clock, type Desk, deskPage } from './shell';
import type { Query } from './views';

/** The accounts that do not hold the current password of their person, and what cures each. */
export const stalePage = (
  desk: Desk,
  page: StalePage,
  query: Query,
  sources: readonly string[],
): string =>
  deskPage(desk, {
    title: 'Stale accounts',
    address: '/console/stale',
    content: html`<form class="filters" action="/console/stale" method="get">${choice('source', 'Source', sources, query)}<label>Person<input name="identity" value="${query.identity ?? ''}" autocomplete="off"></label><button>Filter</button></form>
${page.stale.length === 0 && html`<p class="verdict good">${isFiltered(query) ? html`No such account is known to hold an older password. <a href="/console/stale">Show all</a>` : 'No account is known to hold an older password.'}</p>`}<ul class="accounts">${page.stale.map(
      ({ identity, source, account, says, cure, since }) =>
        html`<li class="waits"><span class="mark" aria-hidden="true">!</span><div><p><a href="/console/people/${encodeURIComponent(identity)}">${identity}</a>, ${source} <small>${account}</small></p><p>${says} ${cure}</p><p class="hint">Since ${clock(since)}</p></div></li>`,
    )}</ul>${page.next !== null && html`<p><a href="/console/stale?${new URLSearchParams({ ...query, cursor: page.next }).toString()}">More</a></p>`}
<p class="hint">${cliCommand(commandOf(query))} The option --look also finds passwords that were changed in a source without being captured.</p>`,
  });

const filters = ['source', 'identity'] as const;

const isFiltered = (query: Query): boolean => filters.some((name) => (query[name] ?? '') !== '');

const commandOf = (query: Query): string =>
  [
    'lockstep stale',
    ...filters.flatMap((name) =>
      (query[name] ?? '') === '' ? [] : [`--${name} ${quoted(query[name] ?? '')}`],
    ),
  ].join(' ');
