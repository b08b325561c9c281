import {
  type CaptureFacts,
  CLOCKS_AGREE_MS,
  DAMPING_MS,
  evaluateCapture,
  type Held,
} from '../../../model/captures/capture';
import { keeps } from '../../support/rules';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const noon = new Date('2026-01-31T12:00:00Z').getTime();
/** So many milliseconds from noon, at which the password was captured. */
const at = (ms: number) => new Date(noon + ms);

const facts = (more: Partial<CaptureFacts> = {}): CaptureFacts => ({
  source: { enabled: true, captures: true, stopped: false, forms: ['plaintext'] },
  notBefore: null,
  form: 'plaintext',
  hashedThere: false,
  takesPart: true,
  capturedAt: at(0),
  now: at(500),
  ageLimitMs: 72 * HOUR,
  latest: null,
  held: [],
  repeats: false,
  currentMissing: false,
  unconfirmed: false,
  ...more,
});
const judged = (more: Partial<CaptureFacts> = {}) => evaluateCapture(facts(more));
const wrote = (ms: number, same: boolean): Held => ({ at: at(ms), native: false, same });
const captured = (ms: number, same: boolean): Held => ({ at: at(ms), native: true, same });

describe('a capture', () => {
  test('of a linked account, in a source that takes captures, starts a change', () => {
    expect(judged()).toBe('accept');
    expect(judged({ latest: { at: at(-1), same: false }, held: [wrote(-MINUTE, false)] })).toBe(
      'accept',
    );
  });

  test.each([
    ['is not there', null],
    ['is switched off', { enabled: false, captures: true }],
    ['takes no captures', { enabled: true, captures: false }],
  ])('from a source that %s is refused before anything else is looked at', (_what, source) => {
    const asked = source && { ...source, stopped: true, forms: [] };
    expect(judged({ source: asked, takesPart: false, ageLimitMs: 0 })).toBe('capture_disabled');
  });

  test(keeps('of another form than its source gives is refused: a hash is no password', 21), () => {
    const source = { enabled: true, captures: true, stopped: false, forms: ['ssha512'] as const };
    expect(judged({ source, form: 'ssha512' })).toBe('accept');
    expect(judged({ source, form: 'ssha' })).toBe('form_not_taken');
    expect(judged({ source, form: 'plaintext', takesPart: false })).toBe('form_not_taken');
    expect(judged({ form: 'ssha512' })).toBe('form_not_taken');
  });

  test('while those of its source are stopped is refused, whoever it is of', () => {
    const source = { enabled: true, captures: true, stopped: true, forms: ['plaintext'] as const };
    expect(judged({ source, takesPart: false })).toBe('captures_stopped');
  });

  test('from before the startpoint has no effect; one of that moment has', () => {
    expect(judged({ notBefore: at(1) })).toBe('before_startpoint');
    expect(judged({ notBefore: at(0) })).toBe('accept');
  });

  test('of a hash that its source made while we wrote there is ours; before and after it is not', () => {
    const hashed = { hashedThere: true, held: [wrote(-500, false)] };
    expect(judged(hashed)).toBe('echo');
    expect(judged({ ...hashed, held: [wrote(19_000, false)] })).toBe('echo');
    expect(judged({ ...hashed, hashedThere: false })).toBe('accept');
    expect(judged({ ...hashed, held: [wrote(-CLOCKS_AGREE_MS - 1, false)] })).toBe('accept');
    expect(judged({ ...hashed, held: [wrote(MINUTE, false)] })).toBe('accept');
    expect(judged({ ...hashed, held: [captured(-500, false)] })).toBe('accept');
  });

  test('of an account that takes no part has no effect', () => {
    expect(judged({ takesPart: false })).toBe('unmapped');
  });

  test(keeps('is too old at the age limit, counted from the capture', 11), () => {
    expect(judged({ now: at(72 * HOUR - 1) })).toBe('accept');
    expect(judged({ now: at(72 * HOUR) })).toBe('expired');
  });

  test('from before the latest change is stale; of the same moment it is not', () => {
    expect(judged({ latest: { at: at(1), same: false } })).toBe('stale');
    expect(judged({ latest: { at: at(0), same: false } })).toBe('accept');
  });

  test(
    keeps(
      'of the value of the latest change is a duplicate for ten minutes, and then a change',
      13,
    ),
    () => {
      expect(judged({ latest: { at: at(-DAMPING_MS), same: true } })).toBe('duplicate');
      expect(judged({ latest: { at: at(-DAMPING_MS - 1), same: true } })).toBe('accept');
    },
  );

  test('of the latest value by a sender that repeats itself is a duplicate, however late', () => {
    const latest = { at: at(-60 * HOUR), same: true };
    expect(judged({ latest, repeats: true })).toBe('duplicate');
    expect(judged({ latest: { ...latest, same: false }, repeats: true })).toBe('accept');
  });

  test(keeps('without a current password that has to be checked is refused', 15), () => {
    expect(judged({ currentMissing: true })).toBe('current_password_missing');
    expect(judged({ currentMissing: true, latest: { at: at(-1), same: true } })).toBe('duplicate');
  });
});

describe('a capture of what we wrote', () => {
  const newer = { at: at(-5_000), same: false };

  test('last is an echo for ten minutes', () => {
    expect(judged({ held: [wrote(-DAMPING_MS, true)] })).toBe('echo');
    expect(judged({ held: [wrote(-DAMPING_MS - 1, true)] })).toBe('accept');
  });

  test('is an echo though its writing was not over yet, and though a newer change is accepted', () => {
    expect(judged({ held: [wrote(200, true)], latest: newer })).toBe('echo');
  });

  test('is an echo though a newer change has written the account meanwhile', () => {
    expect(judged({ held: [wrote(400, false), wrote(20, true)], latest: newer })).toBe('echo');
    const skewed = CLOCKS_AGREE_MS - 1;
    expect(judged({ held: [wrote(20 - skewed, false), wrote(-skewed, true)], latest: newer })).toBe(
      'echo',
    );
  });

  test('long before the account got another password is a change: A, B, A', () => {
    const held = [wrote(-2 * MINUTE, false), wrote(-3 * MINUTE, true)];
    expect(judged({ held, latest: { at: at(-2 * MINUTE), same: false } })).toBe('accept');
  });

  test('just before somebody changed it there is a change: A, B, A in one second', () => {
    const held = [captured(-300, false), wrote(-600, true)];
    expect(judged({ held, latest: { at: at(-300), same: false } })).toBe('accept');
  });
});
