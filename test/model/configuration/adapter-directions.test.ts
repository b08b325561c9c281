import { adapterDirections } from '../../../model/configuration/adapter-directions';
import { configurationSchema } from '../../../model/configuration/document';
import { followsChanges } from '../../../model/people/follows';

const allOn = { windowsToAdapters: true, adaptersToStore: true, adaptersToWindows: true };
const full = {
  ...{ enabled: true, applications: ['reports'] },
  ...{ syncToAdapter: true, syncFromAdapter: true, changeWindowsPassword: true },
};

const configured = (adapter: object, more: object = {}, switches: object = allOn) => {
  const source = { kind: 'postgres-role', settings: {} };
  return configurationSchema.parse({
    version: 1,
    sources: { corp: source, warehouse: { ...source, adapter, ...more }, alone: source },
    policies: { everyone: {} },
    groups: { all: { policy: 'everyone', authSource: 'corp', sources: ['corp', 'warehouse'] } },
    applications: {
      reports: { source: 'warehouse' },
      other: { source: 'warehouse' },
      off: { source: 'warehouse', enabled: false },
      direct: { source: 'alone', directFrom: 'corp' },
      lone: { source: 'alone' },
    },
    sso: { switches },
  });
};

const obstaclesOf = (
  adapter: object,
  more?: object,
  switches?: object,
  mappings = 1,
): Record<string, readonly string[]> =>
  Object.fromEntries(
    adapterDirections(configured(adapter, more, switches), 'warehouse', mappings).map(
      ({ direction, obstacles }) => [direction, obstacles],
    ),
  );

test('an adapter with all flags and switches has no obstacle in any direction', () => {
  expect(obstaclesOf(full)).toEqual({
    ...{ windowsToAdapters: [], adaptersToStore: [], adaptersToWindows: [] },
  });
});

test.each([
  ['the source is switched off', [full, { enabled: false }], 3, 'The source is switched off.'],
  ['the adapter is disabled', [{ ...full, enabled: false }], 3, 'The adapter is disabled.'],
  ['no application is served', [{ ...full, applications: [] }], 3, 'serves no application'],
  ['its applications are off', [{ ...full, applications: ['off'] }], 3, 'Every application'],
  ['no mapping is enabled', [full, {}, allOn, 0], 3, 'no enabled mapping'],
  ['it gets nothing', [{ ...full, syncToAdapter: false }], 1, 'The flag syncToAdapter'],
  ['it reports nothing', [{ ...full, syncFromAdapter: false }], 2, 'The flag syncFromAdapter'],
  ['captures are off', [full, { capture: { enabled: false } }], 2, 'capture.enabled'],
  ['Windows is not changed', [{ ...full, changeWindowsPassword: false }], 1, 'The flag change'],
] as [string, Parameters<typeof obstaclesOf>, number, string][])(
  'the obstacle that %s is reported once for each direction that it concerns',
  (_what, facts, directions, says) => {
    const found = Object.values(obstaclesOf(...facts)).filter((obstacles) =>
      obstacles.some((obstacle) => obstacle.includes(says)),
    );
    expect(found).toHaveLength(directions);
  },
);

test('a switch that is off is an obstacle, but a full synchronization needs none for the store', () => {
  const off = obstaclesOf(full, {}, {});
  for (const [direction, obstacles] of Object.entries(off))
    expect(obstacles).toEqual([`The switch ${direction} is off for every adapter.`]);
  expect(obstaclesOf(full, {}, { adaptersToWindows: true }).adaptersToStore).toEqual([]);
});

test('a stored credential follows changes only if they are written to its source, or it follows directly', () => {
  const follows = (application: string, adapter: object = full) =>
    followsChanges(configured(adapter), application);
  expect(follows('reports')).toBe(true);
  expect(follows('reports', { ...full, syncToAdapter: false })).toBe(false);
  expect(follows('other')).toBe(false);
  expect(follows('off')).toBe(false);
  expect(follows('direct')).toBe(true);
  expect(follows('lone')).toBe(false);
  expect(follows('unknown')).toBe(false);
});
