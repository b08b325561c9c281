import {
  circuitStep,
  heldReasons,
  sourceSays,
  sourceTroubles,
} from '../../../model/change/source-circuit';
import { errorCodes, errors, type Reason } from '../../../model/errors';

const rows: readonly [Reason | null, ordinary: string, asProbe: string][] = [
  [null, 'leave', 'close'],
  ['unreachable', 'open', 'prolong'],
  ['busy', 'open', 'prolong'],
  ['throttled', 'open', 'prolong'],
  ['certificate_refused', 'open', 'prolong'],
  ['service_credential_refused', 'pause', 'pause'],
  // A reason that concerns one account says nothing about the others, but shows that the source answers.
  ['account_locked', 'leave', 'close'],
  ['account_in_use', 'leave', 'close'],
  ['policy_history', 'leave', 'close'],
  ['no_rights', 'leave', 'close'],
  ['not_proved', 'leave', 'close'],
  ['unknown', 'leave', 'close'],
  // The source was reached, and lost before it answered.
  ['in_doubt', 'leave', 'prolong'],
];

test.each(rows)(
  'after an attempt that ends with %s, the circuit does: %s; after a probe that does: %s',
  (reason, ordinary, probe) => {
    expect(circuitStep(reason, false).step).toBe(ordinary);
    expect(circuitStep(reason, true).step).toBe(probe);
  },
);

test('no reason that concerns one account alone stops the others', () => {
  const stopping = errorCodes.filter(
    (code) => errors[code].retry !== 'never' && circuitStep(code as Reason, false).step !== 'leave',
  );
  expect(stopping.sort()).toEqual([...sourceTroubles].sort());
});

test('a probe whose answer is lost keeps the stored reason', () => {
  expect(circuitStep('in_doubt', true)).toEqual({ step: 'prolong', reason: null });
});

test('every reason that keeps a source from being called says what to do, and holds its accounts', () => {
  const since = new Date(0);
  const down = { state: 'down', since, failures: 1, nextProbeAt: since } as const;
  expect(sourceSays({ ...down, reason: 'unreachable' })).toMatch(/Check that it runs/);
  const paused = { state: 'paused', since, by: 'worker', until: null } as const;
  for (const reason of ['service_credential_refused', 'source_paused'] as const) {
    expect(sourceSays({ ...paused, reason })).toContain('lockstep sources resume');
    expect(heldReasons).toContain(reason);
  }
});
