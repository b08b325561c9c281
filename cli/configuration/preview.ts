import type { Api } from '../http/api';
import { ApiProblem } from '../http/refusals';
import type { Plan } from '../http/shapes';
import type { Output, Style } from '../output';
import type { ConfigurationFile } from './file';

export interface Planned {
  readonly document: unknown;
  readonly plan: Plan;
}

/** What `file` would change. @throws Failure with every mistake in it */
export async function planFile(api: Api, file: string): Promise<Planned> {
  const read = files().readConfigurationFile(file);
  const { document } = read;
  try {
    const path = ['configuration', 'plan'];
    return { document, plan: await api.send<Plan>('POST', path, { body: { document } }) };
  } catch (error) {
    throw withPlaces(error, file, read);
  }
}

/** Loaded only here, with the YAML parser that it needs. */
const files = () => require('./file') as typeof import('./file');

/** What the api finds, told by line and column. */
function withPlaces(error: unknown, file: string, { place }: ConfigurationFile): unknown {
  if (!(error instanceof ApiProblem) || error.problem.code !== 'configuration_invalid')
    return error;
  const { issues = [] } = error.problem;
  return files().issuesFailure(
    file,
    issues.map((issue) => ({ ...issue, place: place(issue.path) })),
  );
}

const signs = {
  create: ['+', 'green'],
  update: ['~', 'yellow'],
  delete: ['-', 'red'],
} as const satisfies Record<string, readonly [string, Style]>;

export function planLines({ paint }: Output, { differences, deletes, version }: Plan): string[] {
  if (differences.length === 0) return [`Nothing to do: configuration ${version} says the same.`];
  const lines = differences.map(({ action, section, name, fields }) => {
    const [sign, style] = signs[action];
    const takes = deletes.find((one) => one.section === section && one.name === name);
    const notes = takes === undefined ? fields.join(', ') : taken(takes);
    return `${paint(style, `${sign} ${section}.${name}`)}${notes === '' ? '' : `  ${notes}`}`;
  });
  const counts = (['create', 'update', 'delete'] as const).map(
    (action) => `${differences.filter((one) => one.action === action).length} to ${action}`,
  );
  return [...lines, '', `Against configuration ${version}: ${counts.join(', ')}.`];
}

/** Where the hashes that are captured get to. */
export const hashPathLines = ({ paint }: Output, { hashPaths }: Plan): string[] =>
  hashPaths.flatMap(({ from, form, to, warnings }) => [
    `Captured in ${from} as ${form}: ${to.length === 0 ? 'nobody' : to.join(', ')} stores it as it is; no policy judges it`,
    ...warnings.map((says) => `  ${paint('yellow', 'beware')}  ${says}`),
  ]);

/** What each group takes; of a group that suits its sources a line. */
export const fitLines = ({ paint }: Output, { fit }: Plan): string[] =>
  fit.flatMap(({ group, policy, impossible, notGuaranteed, warnings, fits, unread }) => [
    `Group ${group}, by the policy ${policy}: ${fits ?? paint('red', 'no password')}`,
    ...impossible.map((says) => `  ${paint('red', 'impossible')}  ${says}`),
    ...warnings.map((says) => `  ${paint('yellow', 'weaker')}  ${says}`),
    ...notGuaranteed.map((says) => `  ${paint('yellow', 'may be refused')}  ${says}`),
    ...(unread.length === 0
      ? []
      : [`  not known yet  what ${unread.join(', ')} asks for: "lockstep doctor" reads it`]),
  ]);

const taken = ({ accounts, mappings }: Plan['deletes'][number]): string =>
  accounts + mappings === 0
    ? ''
    : `takes ${counted(accounts, 'linked account')} and ${counted(mappings, 'mapping')} along`;

const counted = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? '' : 's'}`;
