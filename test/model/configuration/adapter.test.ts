import { inboundSync } from '../../../model/configuration/adapter';
import { adapterIssues, adapterWarnings } from '../../../model/configuration/adapter-issues';
import { configurationSchema } from '../../../model/configuration/document';

const allOn = { windowsToAdapters: true, adaptersToStore: true, adaptersToWindows: true };

interface Given {
  readonly adapter?: object;
  readonly switches?: object;
  readonly source?: object;
  readonly application?: object;
  readonly failureMode?: string;
}

const configured = ({ adapter = {}, switches = allOn, ...given }: Given) =>
  configurationSchema.parse({
    version: 1,
    sources: {
      corp: { kind: 'ldap', settings: {} },
      apps: { kind: 'postgres-role', settings: {} },
      site: {
        kind: 'postgres-role',
        settings: {},
        adapter: { enabled: true, applications: ['reports'], syncToAdapter: true, ...adapter },
        ...given.source,
      },
    },
    policies: { everyone: {} },
    groups: {
      all: {
        policy: 'everyone',
        authSource: 'corp',
        sources: ['corp', 'apps', 'site'],
        failureMode: given.failureMode ?? 'directory-last',
      },
    },
    applications: { reports: { source: 'site', ...given.application }, wiki: { source: 'apps' } },
    sso: { switches },
  });

test('an adapter and the switches synchronize nothing until they are switched on', () => {
  const { sources, sso } = configurationSchema.parse({
    version: 1,
    sources: { site: { kind: 'postgres-role', settings: {}, adapter: {} } },
  });
  expect(sources.site?.adapter).toEqual({
    enabled: false,
    applications: [],
    syncToAdapter: false,
    sendOldPassword: false,
    syncFromAdapter: false,
    verifyOldPassword: true,
    changeWindowsPassword: false,
    allowMappingConflicts: false,
  });
  expect(sources.site?.capture).toBeUndefined();
  expect(sso.switches).toEqual({
    windowsToAdapters: false,
    adaptersToStore: false,
    adaptersToWindows: false,
  });
});

test('an adapter that accepts passwords captures them without a block of its own', () => {
  const from = { syncFromAdapter: true };
  const captureWith = (given: Given) => configured(given).sources.site?.capture;
  expect(captureWith({ adapter: from })).toMatchObject({ enabled: true, verifyCurrent: false });
  const own = { capture: { enabled: true, confirm: true } };
  expect(captureWith({ adapter: from, source: own })).toMatchObject({
    confirm: true,
    verifyCurrent: true,
  });
  expect(captureWith({})).toBeUndefined();
});

test.each<[string, object, object, 'full' | 'partial' | null]>([
  ['a disabled adapter changes nothing', { enabled: false }, allOn, null],
  ['an adapter without syncFromAdapter changes nothing', { syncFromAdapter: false }, allOn, null],
  ['switches that are off stop every direction', {}, {}, null],
  ['an adapter with everything on reaches the directory', {}, allOn, 'full'],
  [
    'an adapter without changeWindowsPassword reaches only the store',
    { changeWindowsPassword: false },
    allOn,
    'partial',
  ],
  [
    'an adapter reaches only the store while the switch to Windows is off',
    {},
    { adaptersToStore: true },
    'partial',
  ],
  [
    'the switch to the store does not replace that to Windows',
    { changeWindowsPassword: false },
    { adaptersToWindows: true },
    null,
  ],
])('%s', (_title, adapter, switches, expected) => {
  const { sources, sso } = configured({
    adapter: { syncFromAdapter: true, changeWindowsPassword: true, ...adapter },
    switches,
  });
  const given = sources.site?.adapter;
  expect(given && inboundSync(given, sso.switches)).toBe(expected);
});

describe('plan warns about adapters that can never synchronize', () => {
  test.each<[string, Given, RegExp]>([
    [
      'a source that is switched off gets nothing',
      { source: { enabled: false } },
      /^sources\.site\.adapter synchronizes nothing while the source is switched off/,
    ],
    [
      'an adapter without a direction does nothing',
      { adapter: { syncToAdapter: false } },
      /^sources\.site\.adapter synchronizes nothing: set syncToAdapter/,
    ],
    [
      'an adapter without an application has no mappings',
      { adapter: { applications: [] } },
      /^sources\.site\.adapter\.applications is empty/,
    ],
    [
      'an adapter whose applications are disabled has no mappings in use',
      { application: { enabled: false } },
      /applications lists only disabled applications/,
    ],
    [
      'syncToAdapter needs the switch',
      { switches: {} },
      /syncToAdapter has no effect while sso\.switches\.windowsToAdapters is off/,
    ],
    [
      'sendOldPassword needs syncToAdapter',
      { adapter: { syncToAdapter: false, syncFromAdapter: true, sendOldPassword: true } },
      /sendOldPassword has no effect without syncToAdapter/,
    ],
    [
      'syncFromAdapter needs a switch',
      { adapter: { syncFromAdapter: true }, switches: { windowsToAdapters: true } },
      /syncFromAdapter has no effect: switch on sso\.switches\.adaptersToStore/,
    ],
    [
      'syncFromAdapter needs captures',
      { adapter: { syncFromAdapter: true }, source: { capture: { enabled: false } } },
      /syncFromAdapter has no effect while capture\.enabled/,
    ],
    [
      'changeWindowsPassword needs syncFromAdapter',
      { adapter: { changeWindowsPassword: true } },
      /changeWindowsPassword has no effect without syncFromAdapter/,
    ],
    [
      'changeWindowsPassword needs the switch',
      {
        adapter: { syncFromAdapter: true, changeWindowsPassword: true },
        switches: { windowsToAdapters: true, adaptersToStore: true },
      },
      /changeWindowsPassword has no effect while sso\.switches\.adaptersToWindows is off/,
    ],
    [
      'the directory is not last by itself',
      {
        adapter: { syncFromAdapter: true, changeWindowsPassword: true },
        failureMode: 'continue',
      },
      /changes the directory before the other accounts, because the group "all" is not directory-last/,
    ],
  ])('%s', (_title, given, expected) => {
    const configuration = configured(given);
    expect(adapterIssues(configuration)).toEqual([]);
    expect(adapterWarnings(configuration)).toEqual([expect.stringMatching(expected)]);
  });

  test('an adapter that is still disabled has no warning', () => {
    expect(adapterWarnings(configured({ adapter: { enabled: false }, switches: {} }))).toEqual([]);
  });

  test('an adapter with everything on has no warning', () => {
    const adapter = { syncFromAdapter: true, changeWindowsPassword: true };
    expect(adapterWarnings(configured({ adapter }))).toEqual([]);
  });
});

test.each<[string, string[], RegExp]>([
  ['an adapter cannot serve an unknown application', ['crm'], /there is no application "crm"/],
  ['an adapter cannot serve an application of another source', ['wiki'], /is of the source "apps"/],
  ['an adapter names an application once', ['reports', 'reports'], /is named twice/],
])('%s', (_title, applications, expected) => {
  expect(adapterIssues(configured({ adapter: { applications } }))).toEqual([
    {
      path: ['sources', 'site', 'adapter', 'applications', applications.length - 1],
      says: expect.stringMatching(expected),
    },
  ]);
});

test('the directory of a group cannot be an adapter', () => {
  const configuration = configurationSchema.parse({
    version: 1,
    sources: { corp: { kind: 'ldap', settings: {}, policy: 'everyone', adapter: {} } },
    policies: { everyone: {} },
  });
  expect(adapterIssues(configuration)).toEqual([
    { path: ['sources', 'corp', 'adapter'], says: expect.stringMatching(/is the auth source/) },
  ]);
});
