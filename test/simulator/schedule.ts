import type { Random } from './random';
import type { Mood } from './world';

/** What happens in one run, and when; everything follows from the seed. */

export const sourceNames = ['directory', 'apps', 'crm'] as const;
export type SourceName = (typeof sourceNames)[number];

export type Action =
  | {
      readonly kind: 'request';
      readonly password: string;
      readonly current: 'right' | 'wrong' | 'none';
    }
  | {
      readonly kind: 'native';
      readonly source: SourceName;
      readonly password: string;
      /** The relay delivers the capture this late, and perhaps twice. */
      readonly deliveredAfterMs: readonly number[];
    }
  | { readonly kind: 'lock' | 'unlock' | 'pause' | 'resume'; readonly source: SourceName }
  | { readonly kind: 'mood'; readonly source: SourceName; readonly mood: Mood }
  /** The worker's store of keys fails, or works again. */
  | { readonly kind: 'keys'; readonly work: boolean }
  /** The engine runs no workflow for a while. */
  | { readonly kind: 'outage'; readonly ms: number }
  | { readonly kind: 'kill' }
  | { readonly kind: 'freeze'; readonly ms: number }
  | {
      readonly kind: 'command';
      readonly command: 'retry' | 'cancel' | 'park';
      readonly nth: number;
    };

export interface Schedule {
  readonly directoryLast: boolean;
  readonly queued: SourceName | null;
  /** A rule of this source refuses some passwords. */
  readonly choosy: SourceName | null;
  /** After this time a change expires. */
  readonly ageLimitMs: number;
  readonly history: number;
  readonly tellsCurrent: boolean;
  readonly lockAfter: number;
  readonly actions: readonly (Action & { readonly atMs: number })[];
}

/** Shorter than most outages. */
export const SHORT_AGE_MS = 45_000;
const SPAN_MS = 90_000;
const LONG_AGE_MS = 72 * 3_600_000;

export function scheduleFrom(random: Random): Schedule {
  const password = passwords(random);
  const actions: (Action & { atMs: number })[] = [];
  const at = () => (random.chance(0.5) ? random.between(0, 3_000) : random.between(0, SPAN_MS));
  const add = (atMs: number, action: Action) => actions.push({ ...action, atMs });
  const changes = random.between(1, 4);
  for (let count = 0; count < changes; count++)
    if (random.chance(0.6))
      add(at(), {
        kind: 'request',
        password: password(),
        current: random.pick(['right', 'right', 'wrong', 'none'] as const),
      });
    else
      add(at(), {
        kind: 'native',
        source: random.pick(['directory', 'directory', ...sourceNames] as const),
        password: password(),
        deliveredAfterMs: deliveries(random),
      });
  const troubleCount = random.between(0, 5);
  const begins = actions.map(({ atMs }) => atMs);
  // Half of the trouble begins around a change, where it matters most.
  const troubleAt = () =>
    random.chance(0.5) ? Math.max(0, random.pick(begins) + random.between(-50, 100)) : at();
  for (let count = 0; count < troubleCount; count++) addTrouble(random, troubleAt(), add);
  return {
    directoryLast: random.chance(0.2),
    queued: random.chance(0.25) ? random.pick(sourceNames) : null,
    choosy: random.chance(0.3) ? random.pick(sourceNames) : null,
    ageLimitMs: random.pick([LONG_AGE_MS, LONG_AGE_MS, LONG_AGE_MS, SHORT_AGE_MS]),
    history: random.pick([0, 2, 5]),
    tellsCurrent: random.chance(0.5),
    lockAfter: random.pick([3, 5, 100]),
    actions: actions.sort((one, other) => one.atMs - other.atMs),
  };
}

/** Mostly new ones; now and then one that was used before. */
function passwords(random: Random): () => string {
  const used: string[] = [];
  return () => {
    const again = used.length > 0 && random.chance(0.15);
    const chosen = again ? random.pick(used) : `Simulated-password-${used.length + 1}!`;
    used.push(chosen);
    return chosen;
  };
}

function deliveries(random: Random): number[] {
  const first = random.pick([5, 200, 2_000, 15_000, 60_000]);
  return random.chance(0.2) ? [first, first + random.between(10, 30_000)] : [first];
}

function addTrouble(
  random: Random,
  atMs: number,
  add: (atMs: number, action: Action) => void,
): void {
  const source = random.pick(['directory', ...sourceNames] as const);
  const later = atMs + random.pick([500, 5_000, 20_000, 60_000]);
  const trouble = random.pick(troubles);
  for (const [offsetMs, action] of trouble(random, source, later - atMs))
    add(atMs + offsetMs, action);
}

type Trouble = (random: Random, source: SourceName, lastsMs: number) => [number, Action][];

const mood: Trouble = (random, source, lastsMs) => [
  [0, { kind: 'mood', source, mood: random.pick(['away', 'hangs', 'loses'] as const) }],
  [lastsMs, { kind: 'mood', source, mood: 'works' }],
];

const troubles: readonly Trouble[] = [
  mood,
  mood,
  (_random, source, lastsMs) => [
    [0, { kind: 'lock', source }],
    [lastsMs, { kind: 'unlock', source }],
  ],
  () => [[0, { kind: 'kill' }]],
  (random) => [[0, { kind: 'outage', ms: random.pick([5_000, 40_000, 120_000]) }]],
  (_random, _source, lastsMs) => [
    [0, { kind: 'keys', work: false }],
    [lastsMs, { kind: 'keys', work: true }],
  ],
  (random) => [[0, { kind: 'freeze', ms: random.pick([3_000, 15_000, 40_000, 100_000]) }]],
  (_random, source, lastsMs) => [
    [0, { kind: 'pause', source }],
    [lastsMs, { kind: 'resume', source }],
  ],
  (random) => [
    [
      0,
      {
        kind: 'command',
        command: random.pick(['retry', 'retry', 'cancel', 'park'] as const),
        nth: random.between(0, 3),
      },
    ],
  ],
];
