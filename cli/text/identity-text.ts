import { errors } from '../../model/errors';
import type { IdentityWithMappings } from '../http/answers';
import type { Output } from '../output';
import { indented, mappingLines } from './change-text';
import { table } from './table';

/** The text of `lockstep identities show`: attributes, accounts and applications of a person. */
export function identityLines(output: Output, identity: IdentityWithMappings): string[] {
  const { name, attributes, accounts, mappings } = identity;
  // The text about a stale account shows the problem of its link already.
  const problems = accounts.filter(
    ({ problem, stale }) => problem !== null && stale?.reason !== problem,
  );
  const rows = accounts.map(({ source, name: account, primary, linkedBy, stale, missingSince }) => [
    source,
    account,
    primary ? 'primary' : '',
    linkedBy,
    [
      ...(missingSince === null ? [] : [`missing since ${missingSince.slice(0, 10)}`]),
      ...(stale === null ? [] : [`stale: ${stale.code.replaceAll('_', ' ')}`]),
    ].join(', '),
  ]);
  const why = accounts.flatMap(({ source, stale }) =>
    stale === null ? [] : indented(`${source}: ${stale.says} ${stale.cure}`, output.width),
  );
  return [
    output.paint('bold', name),
    ...Object.entries(attributes).map(([attribute, value]) => `  ${attribute} = ${value}`),
    '',
    ...(rows.length === 0 ? ['No account is linked.'] : table(output, columns, rows)),
    ...problems.flatMap(({ source, name: account, problem }) =>
      problem === null ? [] : ['', `${source}:${account}: ${errors[problem].says}`],
    ),
    ...(why.length === 0 ? [] : ['', 'Stale:', ...why]),
    ...(mappings.length === 0 ? [] : ['', ...mappingLines(output, mappings)]),
  ];
}

const columns = [
  { title: 'SOURCE' },
  { title: 'ACCOUNT', cut: 'first' },
  { title: '' },
  { title: 'LINKED BY' },
  { title: 'STATE' },
] as const;
