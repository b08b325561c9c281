import { exitCodes, exitOf } from '../../cli/exit-codes';
import type { Change, ChangePlan } from '../../cli/http/answers';
import type { Output } from '../../cli/output';
import { inFull } from '../../cli/text/change-text';
import { dryRunLines, isRefusal } from '../../cli/text/dry-run-text';
import { table } from '../../cli/text/table';
import { cut, pad, widthOf, wrap } from '../../cli/text/text-width';
import { parseSpan, relative } from '../../cli/text/times';
import { type ChangeState, changeStates, hasEnded } from '../../model/change/change';
import { span } from '../../model/span';

test('every state of a change has an exit code, and only an unfinished change is pending', () => {
  const states = Object.keys(changeStates) as ChangeState[];
  const codes = states.map((state) => [state, exitCodes[exitOf(state)].code]);
  expect(Object.fromEntries(codes)).toEqual({
    accepted: 4,
    applying: 4,
    waiting: 4,
    done: 0,
    partial: 3,
    refused: 1,
    failed: 1,
    expired: 1,
    cancelled: 1,
    superseded: 1,
  });
  for (const state of states) expect(exitOf(state) === 'pending').toBe(!hasEnded(state));
});

describe('the width of a text', () => {
  test.each([
    ['plain', 5],
    ['王小明', 6],
    ['🔑', 2],
    ['e\u0301', 1],
    ['', 0],
  ])('the text "%s" takes %i columns', (text, width) => {
    expect(widthOf(text)).toBe(width);
  });

  test('a shortened text never takes more columns than allowed', () => {
    for (const text of ['uid=alice,ou=people', '王小明王小明', 'a🔑b🔑c'])
      for (let width = 1; width < 20; width++)
        expect(widthOf(cut(text, width))).toBeLessThanOrEqual(width);
    expect(cut('uid=alice', 6)).toBe('uid=a…');
    expect(pad('王', 4)).toBe('王  ');
  });

  test('a wrapped sentence is broken between words and loses none', () => {
    const says = 'The source cannot be reached. It is tried again.';
    expect(wrap(says, 20)).toEqual(['The source cannot be', 'reached. It is tried', 'again.']);
    expect(wrap(says, Number.POSITIVE_INFINITY)).toEqual([says]);
  });
});

describe('a table', () => {
  const columns = [
    { title: 'ID' },
    { title: 'NAME', cut: 'first' },
    { title: 'STATE', cut: 'last' },
  ] as const;
  const rows = [
    ['chg_01', 'uid=alice,ou=people,dc=example', 'holds the new password'],
    ['chg_02', '王小明', 'not begun'],
  ];
  const lines = (width: number) => table({ width, paint: (_style, text) => text }, columns, rows);

  test('a table shortens names before words and never shortens ids', () => {
    expect(lines(46)).toEqual([
      'ID      NAME            STATE',
      'chg_01  uid=alice,ou=…  holds the new password',
      'chg_02  王小明          not begun',
    ]);
    for (const line of lines(30)) expect(widthOf(line)).toBeLessThanOrEqual(30);
    expect(lines(10).join('\n')).toContain('chg_01');
  });

  test('a table is not shortened without a terminal', () => {
    expect(lines(Number.POSITIVE_INFINITY)[1]).toContain('uid=alice,ou=people,dc=example');
  });
});

describe('times', () => {
  test.each([
    [0, '0 s'],
    [59_499, '59 s'],
    [60_000, '1 min'],
    [7_200_000, '2 h'],
    [200_000_000, '2 d'],
  ])('a duration of %i ms is shown as %s', (ms, text) => {
    expect(span(ms)).toBe(text);
  });

  test('a time is shown relative to now', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    expect(relative('2025-12-31T23:59:48Z', now)).toBe('12 s ago');
    expect(relative('2026-01-01T00:05:00Z', now)).toBe('in 5 min');
    expect(relative(null, now)).toBe('never');
  });

  test.each([
    ['12h', 43_200_000],
    ['90d', 7_776_000_000],
    ['4w', 2_419_200_000],
    ['0d', null],
    ['30min', 1_800_000],
    ['6m', null],
    ['90', null],
    ['d', null],
  ])('the duration %s is parsed as %s ms', (text, ms) => {
    expect(parseSpan(text)).toBe(ms);
  });
});

test('a dry run reports no password as satisfying every policy if a source would refuse it', () => {
  const output = { width: 80, paint: (_style: string, text: string) => text } as unknown as Output;
  const account: ChangePlan['accounts'][number] = {
    label: 'crm',
    source: 'crm',
    account: 'alice',
    role: 'auth',
    turn: 1,
    reason: null,
    says: 'first',
    prove: 'always',
    proof: 'login',
    form: 'plaintext',
    warnings: ['"crm" requires 20 characters or more, so the source refuses it.'],
    refusesPassword: true,
  };
  const plan = (changes: Partial<ChangePlan>): ChangePlan => ({
    identity: 'alice',
    groups: [],
    accounts: [],
    warnings: [],
    violations: [],
    ...changes,
  });
  const text = (changes: Partial<ChangePlan>) => dryRunLines(output, plan(changes)).join('\n');
  expect(text({})).toContain('✔ The password satisfies every policy.');
  expect(text({ accounts: [account] })).toMatch(/✖ The password would be refused:\n {2}By crm/);
  expect(isRefusal(plan({ accounts: [account] }))).toBe(true);
  const warned = { accounts: [{ ...account, refusesPassword: false }] };
  expect(isRefusal(plan(warned))).toBe(false);
  const whole = text({ warnings: ['The change would be refused: no account.'] });
  expect(whole).toContain('✖ The change would be refused: see the warnings.');
});

test('the status of a change with a captured hash says that no policy could check the password', () => {
  const output = { width: 80, paint: (_style: string, text: string) => text };
  const at = '2026-01-31T12:00:00.000Z';
  const change: Change = {
    id: 'chg_1',
    identity: 'alice',
    seq: 1,
    groups: ['all'],
    state: 'done',
    says: changeStates.done.says,
    headline: 'everywhere',
    reason: null,
    reasonSays: null,
    requestedBy: 'relay',
    form: 'ssha512',
    partial: false,
    policy: 'skipped',
    capturedAt: null,
    createdAt: at,
    expiresAt: at,
    endedAt: at,
    waitingFor: null,
    signInsPrevented: 0,
    accounts: [],
    mappings: [],
    links: { self: '', events: '' },
  };
  const shown = (form: Change['form']) =>
    inFull(output as unknown as Output, { ...change, form }, Date.parse(at)).join('\n');
  expect(shown('ssha512')).toContain(
    'captured as a hash (ssha512): no policy could check the password',
  );
  expect(shown('plaintext')).not.toContain('policy');
});
