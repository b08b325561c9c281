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
  ...{ trouble: null, missed: 0, ...more },
});
const captures = (more: object = {}) => ({
  ...{ source: 'domain', stoppedAt: null, stoppedBy: null, startpoint: null, servers: [] },
  ...more,
});
const startpoint = (setAt: string, startpointApplied: boolean | null) => ({
  ...{ from: 'end' as const, cursor: null, notBefore: setAt, setAt, startpointApplied },
});
const told = (source: ReturnType<typeof captures>, ...relays: ReturnType<typeof relay>[]) =>
  captureLines(output, relays.length === 0 ? [relay()] : relays, [source], NOW).join('\n');

test('where all is well, there is nothing to look at', () => {
  const servers = [
    { host: 'dc1', writable: true, relay: 'rly_1' },
    { host: 'rodc', writable: false, relay: null },
  ];
  expect(told(captures({ servers }))).not.toContain('Look at');
});

test.each([
  [
    'a writable server without a relay',
    captures({ servers: [{ host: 'dc2', writable: true, relay: null }] }),
    'dc2 of 1 servers has no relay',
  ],
  [
    'captures that are stopped',
    captures({ stoppedAt: ago(HOUR), stoppedBy: 'api-key:key_1' }),
    'lockstep captures start domain',
  ],
  [
    'a startpoint that a relay has not gone to',
    captures({ startpoint: startpoint(ago(48 * HOUR), false) }),
    'not gone there yet',
  ],
  [
    'one that was set today',
    captures({ startpoint: startpoint(ago(HOUR), null) }),
    'does not count',
  ],
] as const)('%s is told', (_what, source, says) => {
  expect(told(source)).toContain(says);
});

test('a startpoint of long ago is told no more, but to whoever sets it', () => {
  const source = captures({ startpoint: startpoint(ago(48 * HOUR), true) });
  expect(told(source)).not.toContain('Look at');
  expect(sourceCaptureLines([source], NOW).join()).toContain('does not count');
});

test('what waits because captures are stopped is not told as a worker that is missing', () => {
  const stopped = captures({ stoppedAt: ago(HOUR), stoppedBy: 'api-key:key_1' });
  expect(told(captures(), relay({ open: 3 }))).toContain('is a worker running?');
  expect(told(stopped, relay({ open: 3 }))).not.toContain('is a worker running?');
});

test('a relay that cannot read its source, or has missed something, says so', () => {
  const text = told(captures(), relay({ trouble: 'unreachable', missed: 2 }));
  expect(text).toContain('cannot read its source now (unreachable)');
  expect(text).toContain('relay.missed');
});
