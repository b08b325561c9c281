import type { Change, StaleAccount } from '../http/answers';
import type { Output } from '../output';
import { indented } from './change-text';
import { table } from './table';
import { relative } from './times';

const columns = [
  { title: 'PERSON', cut: 'first' },
  { title: 'SOURCE' },
  { title: 'ACCOUNT', cut: 'first' },
  { title: 'WHY' },
  { title: 'SINCE' },
] as const;

/** A row for each stale account, then each distinct cause once with what to do about it. */
export function staleLines(
  output: Output,
  accounts: readonly StaleAccount[],
  now: number,
): string[] {
  if (accounts.length === 0) return ['No account is known to be stale.'];
  const rows = accounts.map(({ identity, source, account, code, since }) => [
    identity,
    source,
    account,
    code.replaceAll('_', ' '),
    relative(since, now),
  ]);
  const causes = accounts.map(
    ({ code, says, cure }) => `${code.replaceAll('_', ' ')}: ${says} ${cure}`,
  );
  const why = [...new Set(causes)].flatMap((text) => indented(text, output.width));
  return [...table(output, columns, rows), '', 'What to do:', ...why];
}

/**
 * The password changes in a source that came after a change and had no effect: the accounts hold the password of the
 * change, and the person may believe in the newer one.
 */
export function laterCaptureLines(
  { width }: Output,
  { identity, createdAt }: Change,
  accounts: readonly StaleAccount[],
): string[] {
  const later = accounts.filter(
    ({ code, since }) =>
      code === 'capture_without_effect' && Date.parse(since) > Date.parse(createdAt),
  );
  if (later.length === 0) return [];
  return [
    '',
    `A later password change of ${identity} had no effect:`,
    ...later.flatMap(({ source, account, cure }) =>
      indented(`${account} in ${source}: ${cure}`, width),
    ),
  ];
}
