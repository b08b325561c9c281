import type { MappingPlan, MappingRow } from '../../model/api/mapping-import';
import { MAX_MAPPING_ROWS } from '../../model/people/mapping-rows';
import { type Html, html } from '../html';
import { cliCommand, type Desk, deskPage } from './shell';

export const MAPPING_IMPORT = '/console/mappings/import';

export interface ImportView {
  /** The list as it was typed. */
  readonly text: string;
  readonly link: boolean;
  readonly enabled: boolean;
  /** What is wrong with the list; empty if nothing. */
  readonly problem: string;
  /** Titles of columns that were ignored. */
  readonly ignored: readonly string[];
  /** What would become, or became, of each row; null before that is known. */
  readonly plan: MappingPlan | null;
  /** The line of each row. */
  readonly lines: readonly number[];
}

export const noImport: ImportView = {
  ...{ text: '', link: false, enabled: false, problem: '', ignored: [], plan: null, lines: [] },
};

/** The page on which an administrator creates mappings of a list, after a preview. */
export const mappingImportPage = (desk: Desk, view: ImportView): string => {
  const { text, link, enabled, problem, ignored, plan } = view;
  return deskPage(desk, {
    title: 'Import mappings',
    address: '/console/applications',
    content: html`${problem !== '' && html`<div class="problem" role="alert"><p>${problem}</p></div>`}
${ignored.length > 0 && html`<p>These columns are ignored: ${ignored.join(', ')}.</p>`}
${plan !== null && planSection(view, plan)}
<form method="post" action="${MAPPING_IMPORT}"><p class="field"><label for="rows">List of mappings (CSV)</label>
<textarea class="code short" id="rows" name="rows" required spellcheck="false" autocomplete="off" data-1p-ignore aria-describedby="rows-hint">${text === '' ? 'application,identity,account\n' : text}</textarea>
<small id="rows-hint">The first line has the titles; commas, semicolons or tabs separate columns. The account may be empty if the person has one account in the source of the application. Never paste passwords.</small></p>
${option('link', 'Link accounts that no one has to the person of their row', link)}
${option('enabled', 'Enable the new mappings at once', enabled)}
<div class="tools"><button name="do" value="plan">Show what would be created</button>${plan !== null && plan.counts.create > 0 && html`<button name="do" value="import" class="primary">Create ${plan.counts.create === 1 ? '1 mapping' : `${plan.counts.create} mappings`}</button>`}${cliCommand('lockstep mappings import mappings.csv')}</div></form>
<p class="hint">A list has ${MAX_MAPPING_ROWS} mappings at most. The command also reads values in quotation marks. <a href="/console/applications">Applications and mappings</a></p>`,
  });
};

const option = (name: string, title: string, checked: boolean): Html =>
  html`<p><label><input type="checkbox" name="${name}" value="yes"${checked && html` checked`}>${title}</label></p>`;

const statuses: Readonly<
  Record<MappingRow['status'], { readonly title: string; readonly tone: string }>
> = {
  conflict: { title: 'conflict', tone: 'bad' },
  unknown: { title: 'unknown', tone: 'busy' },
  create: { title: 'to create', tone: 'good' },
  created: { title: 'created', tone: 'good' },
  exists: { title: 'exists', tone: 'off' },
};

/** More rows than this are not shown: those that need the administrator come first. */
const SHOWN = 200;

function planSection({ lines }: ImportView, { counts, rows }: MappingPlan): Html {
  const order = Object.keys(statuses) as MappingRow['status'][];
  const sorted = order.flatMap((status) => rows.filter((row) => row.status === status));
  const says = order
    .filter((status) => counts[status] > 0)
    .map((status) => `${counts[status]} ${statuses[status].title}`);
  const isBad = counts.conflict + counts.unknown > 0;
  return html`<section aria-labelledby="preview"><h2 id="preview">${counts.created > 0 ? 'What was created' : 'What would be created'}</h2>
<p class="verdict ${isBad ? 'busy' : 'good'}" role="status">${says.join(', ')}.</p>
<div class="scroll"><table class="cards"><caption class="sr">Rows of the list</caption><thead><tr><th scope="col">Line</th><th scope="col">Person</th><th scope="col">Application</th><th scope="col">Account</th><th scope="col">Result</th></tr></thead><tbody>${sorted
    .slice(0, SHOWN)
    .map(
      ({ row, status, says: why, identity, application, account, links }) =>
        html`<tr><td class="number" data-label="Line">${lines[row] ?? ''}</td><td data-label="Person">${identity}</td><td data-label="Application">${application}</td><td data-label="Account">${account ?? ''}</td>
<td data-label="Result"><span class="tag ${statuses[status].tone}">${statuses[status].title}</span>${why !== null && html`<p>${why}</p>`}${links && html`<p>The account is linked to the person as well.</p>`}</td></tr>`,
    )}</tbody></table></div>
${rows.length > SHOWN && html`<p>${SHOWN} of ${rows.length} rows are shown.</p>`}</section>`;
}
