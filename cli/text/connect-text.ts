import type { CandidateCheck } from '../../model/api/job-results';
import type { Connectors } from '../http/answers';
import type { Output } from '../output';
import { indented } from './change-text';
import { table } from './table';

/** The texts of `lockstep sources kinds` and `lockstep sources try`. */

type Kind = Connectors['kinds'][number];

export const kindsLines = (output: Output, { kinds, secretPlaces }: Connectors): string[] => [
  ...table(
    output,
    [{ title: 'KIND' }, { title: 'PROOF' }, { title: 'FOR', cut: 'last' }],
    kinds.map(({ kind, proof, title }) => [kind, proof, title]),
  ),
  '',
  ...secretPlaces.map(
    ({ folder, prefix }) =>
      `Secrets: \${file:NAME} for a file in ${folder} of the worker, \${env:NAME} for a variable that begins with ${prefix}.`,
  ),
  'Next: lockstep sources kinds KIND',
];

interface Property {
  readonly description?: string;
  readonly default?: unknown;
}

export function kindLines(
  output: Output,
  { kind, title, settings, secretSettings }: Kind,
): string[] {
  const { properties = {}, required = [] } = settings as {
    readonly properties?: Readonly<Record<string, Property>>;
    readonly required?: readonly string[];
  };
  return [
    output.paint('bold', `${kind}: ${title}`),
    ...Object.entries(properties).flatMap(([name, { description = '', default: value }]) => {
      const notes = [
        ...(required.includes(name) ? ['required'] : []),
        ...(secretSettings.includes(name) ? ['a reference to a secret'] : []),
        ...(value === undefined ? [] : [`default ${JSON.stringify(value)}`]),
      ];
      return [
        `${name}${notes.length === 0 ? '' : `  (${notes.join('; ')})`}`,
        ...indented(description, output.width),
      ];
    }),
  ];
}

/** The first accounts of the source, each with its attributes. */
export function previewLines(output: Output, { accounts, listing }: CandidateCheck): string[] {
  if (listing !== null) return ['', `The accounts cannot be listed. ${listing}`];
  if (accounts.length === 0) return [];
  const rows = accounts.map(({ name, attributes }) => [
    name,
    Object.entries(attributes)
      .map(([attribute, value]) => `${attribute}=${value ?? '(not shown)'}`)
      .join(', '),
  ]);
  return [
    '',
    ...table(
      output,
      [
        { title: 'ACCOUNT', cut: 'first' },
        { title: 'ATTRIBUTES', cut: 'last' },
      ],
      rows,
    ),
  ];
}
