import { type FilterTrial, groupPage } from '../../console/desk/group';
import type { FilteredSamples, GroupPolicy } from '../../model/api/group-policy';
import { filterSamples } from '../../model/policy/filter-trial';
import { HttpProblem } from '../http/problem';
import type { ConsolePage, PageAnswer } from './pages';
import { oneOf, type StaffVisit, staffPage } from './staff';

/** The page of a group: its policy with examples, and filters on samples. */
export const groupPages = (): readonly ConsolePage[] => [
  staffPage('get', '/console/groups/:name', async (staff) => show(staff, null)),
  // A user may type a real password as the sample.
  staffPage('post', '/console/groups/:name', tryFilter, {
    mayHold: (name) => !name.endsWith('.sample'),
  }),
];

async function show(
  { api, desk, param }: StaffVisit,
  tried: FilterTrial | null,
  status = 200,
): Promise<PageAnswer> {
  const params = { name: param('name') };
  const group = await api.get<GroupPolicy>('/v1/groups/{name}/policy', { params });
  const trials = group.sources.map((source) =>
    tried?.source === source ? tried : configured(group, source),
  );
  return { status, html: groupPage(desk, { group, trials }) };
}

const fields = ['case', 'allowed', 'replaceWith', 'maxLength', 'minLength'] as const;

/** The form with the filter that the source has. */
function configured({ filters }: GroupPolicy, source: string): FilterTrial {
  const filter = filters.find((one) => one.source === source)?.filter ?? {};
  const typed = (input: string) => String(filter[input.slice(source.length + 1)] ?? '');
  return { source, typed, problems: {}, tried: null };
}

async function tryFilter(staff: StaffVisit): Promise<PageAnswer> {
  const { api, param, field } = staff;
  const params = { name: param('name') };
  const { sources } = await api.get<GroupPolicy>('/v1/groups/{name}/policy', { params });
  const source = oneOf(field('source'), sources);
  const own = field(`${source}.sample`);
  const body = {
    filter: filterTyped((name) => field(`${source}.${name}`)),
    source,
    samples: own === '' ? filterSamples : [own, ...filterSamples],
  };
  const trial = { source, typed: field, problems: {}, tried: null };
  try {
    const answer = await api.answer('post', '/v1/password-filters/try', { body });
    return await show(staff, { ...trial, tried: answer.body as FilteredSamples });
  } catch (error) {
    if (!(error instanceof HttpProblem) || error.code !== 'configuration_invalid') throw error;
    const issues = error.details.issues ?? [];
    const problems = Object.fromEntries(
      issues.map(({ path, says }) => [`${source}.${String(path[1])}`, `${says}.`]),
    );
    return show(staff, { ...trial, problems }, 422);
  }
}

/** The filter that was typed. Text that is no number is passed on, so that the API explains it. */
const filterTyped = (typed: (name: string) => string): Record<string, unknown> =>
  Object.fromEntries(
    fields.flatMap((name) => {
      const text = typed(name).trim();
      if (text === '') return [];
      const isNumber = name.endsWith('Length') && Number.isFinite(Number(text));
      return [[name, isNumber ? Number(text) : text]];
    }),
  );
