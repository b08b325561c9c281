import type { ChangePlan } from '../http/shapes';
import type { Output } from '../output';
import { table } from './table';

const columns = [
  { title: 'TURN' },
  { title: 'ACCOUNT' },
  { title: 'NAME', cut: 'first' },
  { title: '', cut: 'last' },
] as const;

/** What a change would do, and what the policies say of the password that came along. */
export function dryRunLines(output: Output, plan: ChangePlan): string[] {
  const { identity, groups, accounts, violations } = plan;
  const touched = accounts.filter(({ turn }) => turn !== null).length;
  const rows = accounts.map((account) => [
    account.turn === null ? '-' : String(account.turn),
    account.role === 'auth' ? `${account.label} (auth)` : account.label,
    account.account ?? 'to be found',
    account.turn === null
      ? `left out: ${account.says}`
      : `${account.says}; ${formOf(account)}${proofOf(account)}`,
  ]);
  return [
    `${output.paint('bold', identity)}: a change would touch ${touched} of ${accounts.length} accounts`,
    ...groups.map(({ name, policy, failureMode }) => `  ${name}, policy ${policy}, ${failureMode}`),
    '',
    ...(rows.length === 0 ? ['No account is linked.'] : table(output, columns, rows)),
    ...(violations === null ? [] : ['', ...judgement(output, violations)]),
  ];
}

const judgement = ({ paint }: Output, violations: NonNullable<ChangePlan['violations']>) =>
  violations.length === 0
    ? [`${paint('green', '✔')} The password satisfies every policy.`]
    : [
        `${paint('red', '✖')} The password would be refused:`,
        ...violations.map(({ says }) => `  ${says}`),
      ];

/** Told where it is not the password itself. */
const formOf = ({ form }: ChangePlan['accounts'][number]): string =>
  form === null || form === 'plaintext' ? '' : `hashed as ${form}; `;

function proofOf({ prove, proof }: ChangePlan['accounts'][number]): string {
  if (prove === 'never' || proof === 'none') return 'not proved';
  const how = proof === 'login' ? 'proved by a login' : 'proved by its hash';
  return prove === 'always' ? how : `${how} when in doubt`;
}
