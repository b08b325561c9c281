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
/** The time this many milliseconds after noon, at which the password was captured. */
const at = (ms: number) => new Date(noon + ms);

const facts = (more: Partial<CaptureFacts> = {}): CaptureFacts => ({
  source: { enabled: true, captures: true, stopped: false, forms: ['plaintext'] },
  adapter: null,
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
const evaluated = (more: Partial<CaptureFacts> = {}) => evaluateCapture(facts(more));
const wrote = (ms: number, same: boolean): Held => ({ at: at(ms), native: false, same });
const captured = (ms: number, same: boolean): Held => ({ at: at(ms), native: true, same });

describe('a capture', () => {
  test('a capture of a linked account in a source that accepts captures starts a change', () => {
    expect(evaluated()).toBe('accept');
    expect(evaluated({ latest: { at: at(-1), same: false }, held: [wrote(-MINUTE, false)] })).toBe(
      'accept',
    );
  });

  test.each([
    ['does not exist', null],
    ['is switched off', { enabled: false, captures: true }],
    ['accepts no captures', { enabled: true, captures: false }],
  ])(
    'a capture from a source that %s is refused before anything else is checked',
    (_what, source) => {
      const refusing = source && { ...source, stopped: true, forms: [] };
      expect(evaluated({ source: refusing, takesPart: false, ageLimitMs: 0 })).toBe(
        'capture_disabled',
      );
    },
  );

  test(
    keeps(
      'a capture in another form than its source provides is refused, because a hash is not a password',
      21,
    ),
    () => {
      const source = { enabled: true, captures: true, stopped: false, forms: ['ssha512'] as const };
      expect(evaluated({ source, form: 'ssha512' })).toBe('accept');
      expect(evaluated({ source, form: 'ssha' })).toBe('form_not_taken');
      expect(evaluated({ source, form: 'plaintext', takesPart: false })).toBe('form_not_taken');
      expect(evaluated({ form: 'ssha512' })).toBe('form_not_taken');
    },
  );

  test('a capture is refused while the captures of its source are stopped, whether its account is linked or not', () => {
    const source = { enabled: true, captures: true, stopped: true, forms: ['plaintext'] as const };
    expect(evaluated({ source, takesPart: false })).toBe('captures_stopped');
  });

  test('a capture from before the startpoint has no effect, and one from that moment has', () => {
    expect(evaluated({ notBefore: at(1) })).toBe('before_startpoint');
    expect(evaluated({ notBefore: at(0) })).toBe('accept');
  });

  test('a hash that its source made during a write of Lockstep is an echo, and one made before or after is not', () => {
    const hashed = { hashedThere: true, held: [wrote(-500, false)] };
    expect(evaluated(hashed)).toBe('echo');
    expect(evaluated({ ...hashed, held: [wrote(19_000, false)] })).toBe('echo');
    expect(evaluated({ ...hashed, hashedThere: false })).toBe('accept');
    expect(evaluated({ ...hashed, held: [wrote(-CLOCKS_AGREE_MS - 1, false)] })).toBe('accept');
    expect(evaluated({ ...hashed, held: [wrote(MINUTE, false)] })).toBe('accept');
    expect(evaluated({ ...hashed, held: [captured(-500, false)] })).toBe('accept');
  });

  test('a capture of an account that no change includes has no effect', () => {
    expect(evaluated({ takesPart: false })).toBe('unmapped');
  });

  test(keeps('a change expires at the age limit, counted from its capture', 11), () => {
    expect(evaluated({ now: at(72 * HOUR - 1) })).toBe('accept');
    expect(evaluated({ now: at(72 * HOUR) })).toBe('expired');
  });

  test('a capture from before the latest change is stale, and one from the same moment is not', () => {
    expect(evaluated({ latest: { at: at(1), same: false } })).toBe('stale');
    expect(evaluated({ latest: { at: at(0), same: false } })).toBe('accept');
  });

  test(
    keeps(
      'a capture of the password of the latest change is a duplicate for ten minutes, and then a change',
      13,
    ),
    () => {
      expect(evaluated({ latest: { at: at(-DAMPING_MS), same: true } })).toBe('duplicate');
      expect(evaluated({ latest: { at: at(-DAMPING_MS - 1), same: true } })).toBe('accept');
    },
  );

  test('a capture of the latest password from a sender that repeats itself is a duplicate, however late', () => {
    const latest = { at: at(-60 * HOUR), same: true };
    expect(evaluated({ latest, repeats: true })).toBe('duplicate');
    expect(evaluated({ latest: { ...latest, same: false }, repeats: true })).toBe('accept');
  });

  test(
    keeps('a capture without the current password is refused when that has to be verified', 15),
    () => {
      expect(evaluated({ currentMissing: true })).toBe('current_password_missing');
      expect(evaluated({ currentMissing: true, latest: { at: at(-1), same: true } })).toBe(
        'duplicate',
      );
    },
  );
});

describe('a capture of a password that Lockstep wrote', () => {
  const newer = { at: at(-5_000), same: false };

  test('a capture of the password that Lockstep wrote last is an echo for ten minutes', () => {
    expect(evaluated({ held: [wrote(-DAMPING_MS, true)] })).toBe('echo');
    expect(evaluated({ held: [wrote(-DAMPING_MS - 1, true)] })).toBe('accept');
  });

  test('a capture of a write of Lockstep is an echo even before that write ended, and after a newer change was accepted', () => {
    expect(evaluated({ held: [wrote(200, true)], latest: newer })).toBe('echo');
  });

  test('a capture of a write of Lockstep is an echo even if a newer change has written the account since', () => {
    expect(evaluated({ held: [wrote(400, false), wrote(20, true)], latest: newer })).toBe('echo');
    const skewed = CLOCKS_AGREE_MS - 1;
    expect(
      evaluated({ held: [wrote(20 - skewed, false), wrote(-skewed, true)], latest: newer }),
    ).toBe('echo');
  });

  test('a capture of a password from before the last write is a change: A, B, A', () => {
    const held = [wrote(-2 * MINUTE, false), wrote(-3 * MINUTE, true)];
    expect(evaluated({ held, latest: { at: at(-2 * MINUTE), same: false } })).toBe('accept');
  });

  test('a capture of a password from before a change in the source is a change: A, B, A in one second', () => {
    const held = [captured(-300, false), wrote(-600, true)];
    expect(evaluated({ held, latest: { at: at(-300), same: false } })).toBe('accept');
  });
});
