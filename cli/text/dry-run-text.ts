import type { ChangePlan } from '../http/answers';
import type { Output } from '../output';
import { indented } from './change-text';
import { table } from './table';

const columns = [
  { title: 'STEP' },
  { title: 'ACCOUNT' },
  { title: 'NAME', cut: 'first' },
  { title: 'WHAT HAPPENS', cut: 'last' },
] as const;

/** The text of `lockstep change --dry-run`: what the change would do, and whether the policies accept the given password. */
export function dryRunLines(output: Output, plan: ChangePlan): string[] {
  const { identity, groups, accounts, violations } = plan;
  const warnings = [...plan.warnings, ...accounts.flatMap((account) => account.warnings)];
  const written = accounts.filter(({ turn }) => turn !== null).length;
  const rows = accounts.map((account) => [
    account.turn === null ? '-' : String(account.turn),
    account.role === 'auth' ? `${account.label} (auth)` : account.label,
    account.account ?? 'not found yet',
    account.turn === null
      ? `left out: ${account.says}`
      : `${account.says}; ${formOf(account)}${proofOf(account)}`,
  ]);
  return [
    `${output.paint('bold', identity)}: a change would write ${written} of ${accounts.length} accounts`,
    ...groups.map(({ name, policy, failureMode }) => `  ${name}, policy ${policy}, ${failureMode}`),
    '',
    ...(rows.length === 0 ? ['No account is linked.'] : table(output, columns, rows)),
    ...(warnings.length === 0
      ? []
      : ['', 'Warnings:', ...warnings.flatMap((says) => indented(says, output.width))]),
    ...(violations === null ? [] : ['', ...policyResult(output, plan, violations)]),
  ];
}

/** Whether the plan shows that the change, or the password in one of its accounts, would be refused. */
export const isRefusal = ({ warnings, accounts, violations }: ChangePlan): boolean =>
  warnings.length > 0 ||
  (violations !== null && violations.length > 0) ||
  accounts.some(({ refusesPassword }) => refusesPassword);

function policyResult(
  { paint }: Output,
  plan: ChangePlan,
  violations: NonNullable<ChangePlan['violations']>,
): string[] {
  if (!isRefusal(plan)) return [`${paint('green', '✔')} The password satisfies every policy.`];
  const refusing = plan.accounts.filter(({ refusesPassword }) => refusesPassword);
  const reasons = [
    ...violations.map(({ says }) => says),
    ...(refusing.length === 0
      ? []
      : [`By ${refusing.map(({ label }) => label).join(', ')}: see the warnings.`]),
  ];
  return reasons.length === 0
    ? [`${paint('red', '✖')} The change would be refused: see the warnings.`]
    : [`${paint('red', '✖')} The password would be refused:`, ...reasons.map((one) => `  ${one}`)];
}

/** The scheme, if the source receives a hash instead of the password. */
const formOf = ({ form }: ChangePlan['accounts'][number]): string =>
  form === null || form === 'plaintext' ? '' : `hashed as ${form}; `;

function proofOf({ prove, proof }: ChangePlan['accounts'][number]): string {
  if (prove === 'never' || proof === 'none') return 'not verified';
  const how = proof === 'login' ? 'verified by a login' : 'verified by its hash';
  return prove === 'always' ? how : `${how} if the result is in doubt`;
}
