import type { Plan } from '../http/answers';
import type { Api } from '../http/api';
import { ApiProblem } from '../http/refusals';
import type { Output, Style } from '../output';
import { counted } from '../text/counted';
import type { ConfigurationFile } from './file';

export interface Planned {
  readonly document: unknown;
  readonly plan: Plan;
  /** Whether the values of the fields are shown, too; a command that changes a few fields does so. */
  readonly showsValues?: boolean;
}

/** Asks the API what `file` would change. @throws Failure that lists every error in the file with its place */
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

/** Loaded on demand, because it loads the YAML parser. */
const files = () => require('./file') as typeof import('./file');

/** Adds line and column to the issues that the API found; returns any other error unchanged. */
function withPlaces(error: unknown, file: string, { place }: ConfigurationFile): unknown {
  if (!(error instanceof ApiProblem) || error.problem.code !== 'configuration_invalid')
    return error;
  const { issues = [] } = error.problem;
  return files().issuesFailure(
    file,
    issues.map((issue) => ({ ...issue, place: place(issue.path) })),
  );
}

export const signs = {
  create: ['+', 'green'],
  update: ['~', 'yellow'],
  delete: ['-', 'red'],
} as const satisfies Record<string, readonly [string, Style]>;

type Field = Plan['differences'][number]['values'][number];

/** The values of fields before and after, a line each. */
export const fieldLines = ({ paint }: Output, fields: readonly Field[]): string[] =>
  fields.flatMap(({ path, from, to }) => [
    ...(from === null ? [] : [paint('red', `    - ${lineOf(path, from)}`)]),
    ...(to === null ? [] : [paint('green', `    + ${lineOf(path, to)}`)]),
  ]);

const lineOf = (path: string, value: unknown): string =>
  `${path}: ${typeof value === 'string' ? value : JSON.stringify(value)}`;

/**
 * A line for each difference, and how many there are of each kind.
 * @param showsValues whether the values of changed fields follow
 */
export function planLines(
  output: Output,
  { differences, deletes, version }: Plan,
  showsValues = false,
): string[] {
  const { paint } = output;
  if (differences.length === 0)
    return [`Nothing to do: the file is identical to configuration ${version}, which is applied.`];
  const lines = differences.flatMap(({ action, section, name, fields, values }) => {
    const [sign, style] = signs[action];
    const deletion = deletes.find((entry) => entry.section === section && entry.name === name);
    const notes = deletion === undefined ? fields.join(', ') : unusedText(deletion);
    return [
      `${paint(style, `${sign} ${section}.${name}`)}${notes === '' ? '' : `  ${notes}`}`,
      ...(showsValues ? fieldLines(output, values ?? []) : []),
    ];
  });
  const counts = (['create', 'update', 'delete'] as const).map(
    (action) => `${differences.filter((entry) => entry.action === action).length} to ${action}`,
  );
  return [...lines, '', `Compared with configuration ${version}: ${counts.join(', ')}.`];
}

/** For each form of captured hash, the sources that store it, and warnings about them. */
export const hashPathLines = ({ paint }: Output, { hashPaths }: Plan): string[] =>
  hashPaths.flatMap(({ from, form, to, warnings }) => [
    `Hashes captured in ${from} as ${form}: ${to.length === 0 ? 'no source stores them' : `stored unchanged in ${to.join(', ')}`}; no policy can check them`,
    ...warnings.map((says) => `  ${paint('yellow', 'warning')}  ${says}`),
  ]);

export const warningLines = ({ paint }: Output, { warnings }: Plan): string[] =>
  warnings.map((says) => `${paint('yellow', 'warning')}  ${says}`);

/** For each group, the passwords that its policy allows, and problems with the sources of the group. */
export const fitLines = ({ paint }: Output, { fit }: Plan): string[] =>
  fit.flatMap(({ group, policy, impossible, notGuaranteed, warnings, fits, unread }) => [
    `Group ${group}, policy ${policy}: ${fits ?? paint('red', 'no password is possible')}`,
    ...impossible.map((says) => `  ${paint('red', 'impossible')}  ${says}`),
    ...warnings.map((says) => `  ${paint('yellow', 'weaker')}  ${says}`),
    ...notGuaranteed.map((says) => `  ${paint('yellow', 'may be refused')}  ${says}`),
    ...(unread.length === 0
      ? []
      : [
          `  not known yet  the password rules of ${unread.join(', ')}: run "lockstep doctor" to read them`,
        ]),
  ]);

/** What is no longer used without the source or the application. Links and mappings stay in the database. */
const unusedText = ({ section, accounts, mappings }: Plan['deletes'][number]): string =>
  accounts + mappings === 0
    ? ''
    : `${[...(section === 'sources' ? [counted(accounts, 'link')] : []), counted(mappings, 'mapping')].join(' and ')} ` +
      `kept, unused, and used again if ${section === 'sources' ? 'a source' : 'an application'} of this name is added`;
