import { captureLines, sourceCaptureLines } from '../../cli/text/captures-text';

const NOW = Date.parse('2026-01-31T12:00:00Z');
const ago = (ms: number) => new Date(NOW - ms).toISOString();
const HOUR = 3_600_000;
const output = { width: 200, paint: (_style: unknown, text: string) => text } as Parameters<
  typeof captureLines
>[0];

const relay = (more: object = {}) => ({
  ...{ id: 'rly_1', source: 'domain', heardAt: ago(4000), silentMs: 4000, backlog: 0 },
  ...{ oldestAt: null, quarantined: 0, clockAheadMs: 0, received: 12, lost: 0, open: 0 },
  ...{ trouble: null, missed: 0, createdAt: ago(HOUR), revokedAt: null, version: null },
  ...{ sequence: null, host: null, covers: 'source' as const, startpointApplied: null, ...more },
});
const captures = (more: object = {}) => ({
  ...{
    source: 'domain',
    stoppedAt: null,
    stoppedBy: null,
    startpoint: null,
    servers: [],
    withoutEffect: [],
  },
  ...more,
});
const startpoint = (setAt: string, startpointApplied: boolean | null) => ({
  ...{ from: 'end' as const, cursor: null, notBefore: setAt, setAt, setBy: 'api-key:key_1' },
  startpointApplied,
});
const shown = (source: ReturnType<typeof captures>, ...relays: ReturnType<typeof relay>[]) =>
  captureLines(output, relays.length === 0 ? [relay()] : relays, [source], NOW).join('\n');

test('lockstep captures lists no problem if every writable server has a relay', () => {
  const servers = [
    { host: 'dc1', writable: true, relay: 'rly_1' },
    { host: 'rodc', writable: false, relay: null },
  ];
  expect(shown(captures({ servers }))).not.toContain('Check:');
});

test.each([
  [
    'a writable server without a relay',
    captures({ servers: [{ host: 'dc2', writable: true, relay: null }] }),
    '1 of 1 servers has no relay (dc2)',
  ],
  [
    'a source with stopped captures',
    captures({ stoppedAt: ago(HOUR), stoppedBy: 'api-key:key_1' }),
    'lockstep captures start domain',
  ],
  [
    'a startpoint that the relay has not applied',
    captures({ startpoint: startpoint(ago(48 * HOUR), false) }),
    'not moved there yet',
  ],
  [
    'accounts whose captured password reached no other account, by reason',
    captures({
      withoutEffect: [
        { reason: 'password_against_policy', says: '', accounts: 2, latestAt: ago(HOUR) },
        { reason: 'policy_history', says: '', accounts: 1, latestAt: ago(HOUR) },
      ],
    }),
    '3 accounts hold passwords that were changed there and captured without effect (password against policy: 2, policy history: 1)',
  ],
  [
    'a startpoint that was set today',
    captures({ startpoint: startpoint(ago(HOUR), null) }),
    'do not count',
  ],
] as const)('lockstep captures lists %s', (_what, source, says) => {
  expect(shown(source)).toContain(says);
});

test('lockstep captures omits a startpoint that was applied long ago, and set-startpoint shows it', () => {
  const source = captures({ startpoint: startpoint(ago(48 * HOUR), true) });
  expect(shown(source)).not.toContain('Check:');
  expect(sourceCaptureLines([source], NOW).join()).toContain('do not count');
});

test('captures that wait because they are stopped are not reported as a missing worker', () => {
  const stopped = captures({ stoppedAt: ago(HOUR), stoppedBy: 'api-key:key_1' });
  expect(shown(captures(), relay({ open: 3 }))).toContain('that a worker is running');
  expect(shown(stopped, relay({ open: 3 }))).not.toContain('that a worker is running');
});

test('lockstep captures reports a relay that cannot read its source or has missed changes', () => {
  const text = shown(captures(), relay({ trouble: 'unreachable', missed: 2 }));
  expect(text).toContain('cannot read its source (unreachable)');
  expect(text).toContain('relay.missed');
});
