import type { Overview } from '../http/answers';
import type { Output } from '../output';
import { indented, markOfState, proofs } from './change-text';
import { table } from './table';
import { relative } from './times';

/** The text about the passwords of a person: what each account holds, changes, captures without effect, next steps. */
export function overviewLines(output: Output, overview: Overview, now: number): string[] {
  return [
    ...heldLines(output, overview, now),
    ...expiryLines(output, overview, now),
    ...changeLines(output, overview, now),
    ...captureLines(output, overview, now),
    ...block('Next:', overview.next, output.width),
  ];
}

function heldLines(output: Output, { accounts }: Overview, now: number): string[] {
  if (accounts.length === 0) return [];
  const columns = [
    { title: 'SOURCE' },
    { title: 'HOLDS' },
    { title: 'SINCE' },
    { title: 'VERIFIED' },
  ];
  const rows = accounts.map(({ source, holdsSays, held, open }) => [
    source,
    open === null ? holdsSays : open.state,
    held === null ? '' : relative(held.since, now),
    held === null ? '' : proofs[held.proof],
  ]);
  const open = accounts.flatMap(({ source, open: going }) =>
    going === null ? [] : [`${source}: ${going.says}`],
  );
  return ['', ...table(output, columns, rows), ...block('In progress:', open, output.width)];
}

const expiryLines = ({ width }: Output, { expiry }: Overview, now: number): string[] =>
  block(
    'Expiry of the password:',
    expiry.map(({ group, changedAt, expiresAt }) =>
      changedAt === null || expiresAt === null
        ? `${group}: unknown, because Lockstep has not seen when it was changed. "lockstep stale --look" asks the source.`
        : `${group}: ${Date.parse(expiresAt) > now ? 'expires' : 'expired'} ${relative(expiresAt, now)}, changed ${relative(changedAt, now)}`,
    ),
    width,
  );

function changeLines(output: Output, { changes }: Overview, now: number): string[] {
  if (changes.length === 0) return [];
  const columns = [
    { title: '' },
    { title: 'CHANGE' },
    { title: 'STATE' },
    { title: 'APPLIED' },
    { title: 'STARTED' },
  ];
  const rows = changes.map(({ id, state, accounts, applied, signInsPrevented, createdAt }) => {
    const [text, style] = markOfState(state, signInsPrevented);
    return [{ text, style }, id, state, `${applied} of ${accounts}`, relative(createdAt, now)];
  });
  return ['', ...table(output, columns, rows)];
}

const captureLines = ({ width }: Output, { captures }: Overview, now: number): string[] =>
  block(
    'Password changes in a source that had no effect:',
    captures.map(
      ({ at, source, account, says }) =>
        `${relative(at, now)}, ${account ?? 'an account'} in ${source}: ${says}`,
    ),
    width,
  );

const block = (title: string, texts: readonly string[], width: number): string[] =>
  texts.length === 0 ? [] : ['', title, ...texts.flatMap((text) => indented(text, width))];
