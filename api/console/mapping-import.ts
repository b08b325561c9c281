import {
  type ImportView,
  MAPPING_IMPORT,
  mappingImportPage,
  noImport,
} from '../../console/desk/mapping-import';
import type { MappingPlan } from '../../model/api/mapping-import';
import { plainRecords } from '../../model/people/csv';
import { readMappingList } from '../../model/people/mapping-list';
import { MAX_MAPPING_ROWS } from '../../model/people/mapping-rows';
import { HttpProblem } from '../http/problem';
import type { ConsolePage, PageAnswer } from './pages';
import { type StaffVisit, staffPage } from './staff';

/** The page on which an administrator creates mappings of a list. */
export const mappingImportPages = (): readonly ConsolePage[] => [
  staffPage('get', MAPPING_IMPORT, async ({ api, desk }) => {
    if (!api.may('configure')) throw new HttpProblem('forbidden');
    return { status: 200, html: mappingImportPage(desk, noImport) };
  }),
  staffPage('post', MAPPING_IMPORT, submit, {
    limitBytes: 32 * 1024 * 1024,
    // A list that is refused may contain passwords.
    mayHold: (name, text) => name !== 'rows' || !('says' in listOf(text)),
  }),
];

function listOf(text: string) {
  const records = plainRecords(text);
  return 'says' in records ? records : readMappingList(records);
}

async function submit({ api, desk, field }: StaffVisit): Promise<PageAnswer> {
  if (!api.may('configure')) throw new HttpProblem('forbidden');
  const [link, enabled] = [field('link') === 'yes', field('enabled') === 'yes'];
  const text = field('rows');
  const list = listOf(text);
  const shown = (status: number, more: Partial<ImportView>) => ({
    status,
    html: mappingImportPage(desk, { ...noImport, text, link, enabled, ...more }),
  });
  // A list that was refused may contain passwords, so it is not shown again.
  if ('says' in list)
    return shown(422, {
      text: '',
      problem: `${list.line === null ? 'The list' : `Line ${list.line}`} ${list.says}`,
    });
  const rows = list.rows.map(({ wanted }) => wanted);
  const known = { ignored: list.ignored, lines: list.rows.map(({ line }) => line) };
  if (rows.length === 0) return shown(422, { ...known, problem: 'The list has no mapping.' });
  if (rows.length > MAX_MAPPING_ROWS)
    return shown(422, {
      ...known,
      problem: `The list has ${rows.length} mappings, and at most ${MAX_MAPPING_ROWS} are read. Split it.`,
    });
  const isImport = field('do') === 'import';
  const { body } = isImport
    ? await api.answer('post', '/v1/mappings/import', { body: { rows, link, enabled } })
    : await api.answer('post', '/v1/mappings/plan', { body: { rows, link } });
  return shown(200, { ...known, plan: body as MappingPlan, ...(isImport ? { text: '' } : {}) });
}
