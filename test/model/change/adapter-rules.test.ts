import {
  adapterUse,
  hasMappingConflict,
  type MappedAccount,
} from '../../../model/change/adapter-rules';
import { planChange } from '../../../model/change/plan';
import type { Group, Source, SourceAdapter } from '../../../model/configuration/group';

const adapter: SourceAdapter = {
  enabled: true,
  syncToAdapter: true,
  switchedOn: true,
  allowMappingConflicts: false,
  applications: [
    { name: 'reports', enabled: true },
    { name: 'old', enabled: false },
  ],
};
const group: Group = {
  name: 'all',
  policy: 'everyone',
  authSource: 'corp',
  sources: ['corp', 'site'],
  failureMode: 'continue',
};
const source = (name: string, more: Partial<Source> = {}): Source => ({
  name,
  enabled: true,
  multipleAccountPasswordSync: false,
  lane: 'inline',
  prove: 'always',
  correlates: false,
  ...more,
});
const account = (id: string, application?: string): MappedAccount => ({
  id,
  source: id.replace(/\d/, ''),
  ...(application === undefined ? {} : { mappings: [{ application, enabled: true }] }),
});

test.each([
  ['an account without a mapping is not mapped', [], 'not_mapped'],
  ['a mapping of another adapter does not count', [['crm', true]], 'not_mapped'],
  ['an enabled mapping of an enabled application is in use', [['reports', true]], 'in_use'],
  ['a disabled mapping is not in use', [['reports', false]], 'mapping_disabled'],
  ['a mapping of a disabled application is not in use', [['old', true]], 'application_disabled'],
  [
    'one mapping in use is enough',
    [
      ['old', true],
      ['reports', true],
    ],
    'in_use',
  ],
] as const)('%s', (_title, mappings, expected) => {
  const given = mappings.map(([application, enabled]) => ({ application, enabled }));
  expect(adapterUse(adapter, { mappings: given })).toBe(expected);
});

test.each<[string, readonly MappedAccount[], Partial<SourceAdapter>, boolean]>([
  [
    'one account on each side is no conflict',
    [account('corp'), account('site', 'reports')],
    {},
    false,
  ],
  [
    'two accounts of an adapter are a conflict',
    [account('corp'), account('site1', 'reports'), account('site2', 'reports')],
    {},
    true,
  ],
  [
    'two accounts of the directory are a conflict',
    [account('corp1'), account('corp2'), account('site', 'reports')],
    {},
    true,
  ],
  [
    'two accounts of the directory are no conflict without an account of the adapter',
    [account('corp1'), account('corp2'), account('site')],
    {},
    false,
  ],
  [
    'a second account without a mapping in use is no conflict',
    [account('corp'), account('site1', 'reports'), account('site2')],
    {},
    false,
  ],
  [
    'a conflict that the adapter allows is none',
    [account('corp'), account('site1', 'reports'), account('site2', 'reports')],
    { allowMappingConflicts: true },
    false,
  ],
  [
    'an adapter that gets no change has no conflict',
    [account('corp'), account('site1', 'reports'), account('site2', 'reports')],
    { syncToAdapter: false },
    false,
  ],
])('%s', (_title, accounts, more, expected) => {
  const sources = [source('corp'), source('site', { adapter: { ...adapter, ...more } })];
  expect(hasMappingConflict({ groups: [group], sources, accounts })).toBe(expected);
});

test('an adapter that gets no change has a conflict when it reports one', () => {
  const accounts = [account('corp'), account('site1', 'reports'), account('site2', 'reports')];
  const sources = [
    source('corp'),
    source('site', { adapter: { ...adapter, syncToAdapter: false } }),
  ];
  const input = { groups: [group], sources, accounts };
  expect(hasMappingConflict({ ...input, originAccountId: 'site1' })).toBe(true);
  expect(hasMappingConflict({ ...input, originAccountId: 'corp' })).toBe(false);
});

test('an adapter keeps no password from the account in which it was changed', () => {
  const sources = [
    source('corp'),
    source('site', { adapter: { ...adapter, syncToAdapter: false } }),
  ];
  const accounts = [account('corp'), account('site', 'reports')].map((one) => ({
    ...one,
    name: one.id,
    primary: true,
  }));
  const leftOut = (originAccountId: string) =>
    planChange({ groups: [group], sources, accounts, originAccountId }).map((one) => one.leftOut);
  expect(leftOut('corp')).toEqual([null, 'sync_to_adapter_off']);
  expect(leftOut('site')).toEqual([null, null]);
});

test('an account of an adapter is not searched by correlation, because it has no mapping', () => {
  const sources = [source('corp'), source('site', { correlates: true, adapter })];
  const accounts = [{ ...account('corp'), name: 'corp', primary: true }];
  expect(planChange({ groups: [group], sources, accounts })).toMatchObject([
    { source: 'corp', leftOut: null },
    { source: 'site', accountId: null, leftOut: 'not_mapped' },
  ]);
});
