import type { ListedMapping, MappingsPage } from '../../model/api/identities';
import { mappingListStates } from '../../model/change/mapping';
import { describedApplication } from '../../model/configuration/described';
import type { Configuration } from '../../model/configuration/document';
import { type Html, html } from '../html';
import { applicationButton } from './adapter';
import { adapterAddress } from './adapters';
import { choice } from './changes';
import { MAPPING_IMPORT } from './mapping-import';
import { cliCommand, commandButton, type Desk, deskPage, titleBelow, withCommand } from './shell';

export interface ApplicationsView {
  /** By name; null for a user who may not read the configuration. */
  readonly applications: Configuration['applications'] | null;
  /** The adapter that serves an application, by the name of the application. */
  readonly adapters: ReadonlyMap<string, string>;
  readonly page: MappingsPage;
  readonly query: Readonly<Record<string, string>>;
}

/** The applications of single sign-on, and the mappings that keep a credential for a person. */
export const applicationsPage = (
  desk: Desk,
  { applications, adapters, page, query }: ApplicationsView,
): string =>
  deskPage(desk, {
    title: 'Applications and mappings',
    address: '/console/applications',
    content: html`${applications !== null && applicationTable(applications, adapters)}
<h2>Mappings</h2><form class="filters" action="/console/applications" method="get">
<label>Application<input name="application" value="${query.application ?? ''}" autocomplete="off"></label>
${choice('state', 'State', mappingListStates, query)}<button>Filter</button></form>
${page.mappings.length === 0 ? html`<p>No mappings.${Object.values(query).some((value) => value !== '') ? html` <a href="/console/applications">Show all mappings</a>` : ' A mapping keeps the credential of a person for an application. Import a list, or create them with the command.'}</p>` : mappingTable(page.mappings, applications !== null)}
${page.next !== null && html`<p><a href="/console/applications?${new URLSearchParams({ ...query, cursor: page.next }).toString()}">More mappings</a></p>`}
<p class="hint">${applications !== null && html`<a href="${MAPPING_IMPORT}">Import mappings from a list</a> `}${cliCommand('lockstep mappings')}</p>`,
  });

const applicationTable = (
  applications: Configuration['applications'],
  adapters: ApplicationsView['adapters'],
): Html =>
  Object.keys(applications).length === 0
    ? html`<p>The configuration has no application. ${cliCommand('lockstep applications create')}</p>`
    : html`<div class="scroll"><table class="cards"><caption class="sr">Applications</caption><thead><tr><th scope="col">Application</th><th scope="col">Source</th><th scope="col">Adapter</th><th scope="col">Type</th><th scope="col">State</th><th scope="col">Actions</th></tr></thead><tbody>${Object.entries(
        applications,
      ).map(
        ([name, { source, type, enabled }]) =>
          html`<tr><th scope="row"><a href="/console/applications?application=${encodeURIComponent(name)}">${name}</a>${titleBelow(name, describedApplication({ applications }, name))}</th><td class="name" data-label="Source"><a href="/console/sources/${encodeURIComponent(source)}">${source}</a></td><td class="name" data-label="Adapter">${adapterLink(adapters.get(name))}</td><td class="name" data-label="Type">${type}</td>
<td data-label="State"><span class="tag ${enabled ? 'good' : 'off'}">${enabled ? 'enabled' : 'disabled'}</span></td><td>${applicationButton(name, enabled)}</td></tr>`,
      )}</tbody></table></div>`;

const adapterLink = (adapter: string | undefined): Html =>
  adapter === undefined ? html`none` : html`<a href="${adapterAddress(adapter)}">${adapter}</a>`;

const mappingTable = (mappings: readonly ListedMapping[], mayChange: boolean): Html =>
  html`<div class="scroll"><table class="cards"><caption class="sr">Mappings</caption><thead><tr><th scope="col">Person</th><th scope="col">Application</th><th scope="col">Credential</th><th scope="col">Actions</th></tr></thead><tbody>${mappings.map(
    (
      mapping,
    ) => html`<tr><th scope="row"><a href="/console/people/${encodeURIComponent(mapping.identity)}">${mapping.identity}</a></th>
<td data-label="Application">${mapping.application}<br><small>${mapping.source} ${mapping.account}</small></td>
<td data-label="Credential">${stateOf(mapping)}</td><td>${mayChange && actionsOf(mapping)}</td></tr>`,
  )}</tbody></table></div>`;

function stateOf({ enabled, state, reason }: ListedMapping): Html {
  const tone = !enabled ? 'off' : state === 'in_sync' ? 'good' : 'busy';
  return html`<span class="tag ${tone}">${enabled ? state.replaceAll('_', ' ') : 'disabled'}</span>${reason !== null && html`<p>${reason.replaceAll('_', ' ')}</p>`}`;
}

function actionsOf({ id, enabled, identity, application, account }: ListedMapping): Html {
  const at = (verb: string) => `/console/mappings/${encodeURIComponent(id)}/${verb}`;
  const verbs = enabled ? (['disable'] as const) : (['enable', 'delete'] as const);
  return html`<div class="tools">${verbs.map((verb) => withCommand(commandButton(at(verb), titles[verb]), `lockstep mappings ${verb}`, identity, application, account))}</div>`;
}

const titles = { enable: 'Enable', disable: 'Disable', delete: 'Delete' } as const;
