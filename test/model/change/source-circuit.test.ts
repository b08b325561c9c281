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
  // What a source says of one account says nothing of the others, but it was there to say it.
  ['account_locked', 'leave', 'close'],
  ['account_in_use', 'leave', 'close'],
  ['policy_history', 'leave', 'close'],
  ['no_rights', 'leave', 'close'],
  ['not_proved', 'leave', 'close'],
  ['unknown', 'leave', 'close'],
  // Cut off: it was there, and went.
  ['in_doubt', 'leave', 'prolong'],
];

test.each(rows)('an attempt that ends with %s: %s; as the probe: %s', (reason, ordinary, probe) => {
  expect(circuitStep(reason, false).step).toBe(ordinary);
  expect(circuitStep(reason, true).step).toBe(probe);
});

test('no reason that concerns one account alone stops the others', () => {
  const stopping = errorCodes.filter(
    (code) => errors[code].retry !== 'never' && circuitStep(code as Reason, false).step !== 'leave',
  );
  expect(stopping.sort()).toEqual([...sourceTroubles].sort());
});

test('a probe that was cut off keeps the reason that was known', () => {
  expect(circuitStep('in_doubt', true)).toEqual({ step: 'prolong', reason: null });
});

test('whatever keeps a source from being asked says what to do, and holds its accounts', () => {
  const since = new Date(0);
  const down = { state: 'down', since, failures: 1, nextProbeAt: since } as const;
  expect(sourceSays({ ...down, reason: 'unreachable' })).toMatch(/check that it runs/);
  const paused = { state: 'paused', since, by: 'worker' } as const;
  for (const reason of ['service_credential_refused', 'source_paused'] as const) {
    expect(sourceSays({ ...paused, reason })).toContain('lockstep sources resume');
    expect(heldReasons).toContain(reason);
  }
});
