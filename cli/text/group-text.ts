import type { FilteredSamples, GroupPolicy } from '../http/answers';
import type { Output } from '../output';
import { indented } from './change-text';
import { table } from './table';

/** The texts of `lockstep groups`. */

export function groupLines(output: Output, group: GroupPolicy): string[] {
  const { name, sources, rows, passes, alone, fit } = group;
  return [
    `${output.paint('bold', name)}: one password for ${sources.join(', ')}, policy ${fit.policy}`,
    fit.fits === null && passes === null
      ? output.paint('red', 'No password satisfies all sources.')
      : `Every source accepts: ${fit.fits}${passes === null ? '' : `, for example ${passes}`}`,
    ...fit.impossible.map((says) => `  ${says}`),
    ...alone.map(
      ({ source, policy, passes: one }) =>
        `  ${policy}${source === null ? '' : ` of ${source}`} alone accepts ${one ?? 'nothing'}`,
    ),
    '',
    ...rows.flatMap(({ rule, bounds, fails }) => [
      output.paint('bold', rule),
      ...bounds.map(
        ({ source, policy, says, strictest }) =>
          `  ${source ?? 'policy'} (${policy}) ${says}${strictest && bounds.length > 1 ? ', the strictest' : ''}`,
      ),
      ...(fails === null ? [] : [`  breaks it: ${shortened(fails)}`]),
    ]),
    ...fit.notGuaranteed.flatMap((says) => indented(says, output.width)),
    ...(fit.unread.length === 0
      ? []
      : [`Not known yet: the rules of ${fit.unread.join(', ')}. Run "lockstep doctor".`]),
  ];
}

const SHOWN = 60;

/** Only the length of a long example matters. */
const shortened = (text: string): string =>
  text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}… (${text.length} characters)`;

export const filterLines = (output: Output, { samples, weakens }: FilteredSamples): string[] => [
  ...table(
    output,
    [
      { title: 'SAMPLE', cut: 'last' },
      { title: 'THE SOURCE GETS' },
      { title: 'ITS RULES', cut: 'last' },
    ],
    samples.map(({ sample, written, broken }) => [
      sample,
      written ?? '(nothing: too little is left)',
      written === null ? '' : broken.join(', ') || 'accepted',
    ]),
  ),
  ...(weakens === null ? [] : ['', ...indented(weakens, output.width)]),
];
