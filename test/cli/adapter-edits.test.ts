import {
  groupedAdapters,
  withAdapter,
  withApplication,
  withEnabled,
  withNewAdapter,
  withoutAdapter,
  withoutApplication,
  withoutGroup,
} from '../../cli/configuration/adapter-edits';
import { adaptersIn } from '../../model/configuration/adapter-edits';
import { type Configuration, configurationSchema } from '../../model/configuration/document';

const source = (adapter?: object) => ({
  kind: 'postgres-role',
  settings: {},
  ...(adapter && { adapter }),
});
const configuration = configurationSchema.parse({
  version: 1,
  sources: {
    corp: source(),
    warehouse: source({
      ...{ enabled: true, applications: ['reports'], syncFromAdapter: true },
      adapterGroup: 'databases',
    }),
    crm: source({ adapterGroup: 'databases' }),
    site: source({}),
  },
  applications: { reports: { source: 'warehouse' }, sales: { source: 'crm' } },
});

/** The adapter after an edit, as the api reads the edited document. */
const after = (edited: object, name: string) => {
  const found = adaptersIn(configurationSchema.parse(edited)).find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no adapter ${name}`);
  return found.adapter;
};

test('a new adapter is disabled', () => {
  const flags = [{ name: 'syncToAdapter', value: true }] as const;
  const edited = withNewAdapter(configuration, 'corp', ['reports'], flags);
  expect(after(edited, 'corp')).toMatchObject({
    enabled: false,
    applications: ['reports'],
    syncToAdapter: true,
    verifyOldPassword: true,
  });
});

test('an edit changes nothing but what it names', () => {
  const edited = withAdapter(configuration, 'warehouse', {
    flags: [{ name: 'verifyOldPassword', value: false }],
  });
  expect(after(edited, 'warehouse')).toEqual({
    ...configuration.sources.warehouse?.adapter,
    verifyOldPassword: false,
  });
});

test('the adapters of a group are switched together', () => {
  const names = groupedAdapters(configuration, 'databases').map(({ name }) => name);
  expect(names).toEqual(['warehouse', 'crm']);
  const edited = withEnabled(configuration, names, true);
  expect(adaptersIn(edited).map(({ adapter }) => adapter.enabled)).toEqual([true, true, false]);
  expect(after(withoutGroup(configuration, 'crm'), 'crm')).not.toHaveProperty('adapterGroup');
});

test('an application is added to an adapter, and removed from the one that has it', () => {
  const added = withApplication(configuration, 'crm', 'sales') as Configuration;
  expect(after(added, 'crm').applications).toEqual(['sales']);
  expect(after(withoutApplication(added, 'reports'), 'warehouse').applications).toEqual([]);
});

test('the captures of a deleted adapter are switched off', () => {
  const disabled = withEnabled(configuration, ['warehouse'], false);
  const { sources } = configurationSchema.parse(withoutAdapter(disabled, 'warehouse'));
  expect(sources.warehouse).not.toHaveProperty('adapter');
  expect(sources.warehouse?.capture).toMatchObject({ enabled: false });
});

test.each<[string, () => unknown, string]>([
  ['an unknown adapter', () => withAdapter(configuration, 'corp', {}), 'There is no adapter'],
  ['an unknown source', () => withNewAdapter(configuration, 'erp', [], []), 'There is no source'],
  ['an adapter that exists', () => withNewAdapter(configuration, 'crm', [], []), 'adapters update'],
  ['an enabled adapter', () => withoutAdapter(configuration, 'warehouse'), 'is enabled'],
  ['an unknown group', () => groupedAdapters(configuration, 'none'), 'No adapter is in the group'],
  ['an adapter in no group', () => withoutGroup(configuration, 'site'), 'is in no group'],
  [
    'an application that it has',
    () => withApplication(configuration, 'warehouse', 'reports'),
    'serves the application "reports" already',
  ],
  [
    'an application without an adapter',
    () => withoutApplication(configuration, 'sales'),
    'No adapter serves',
  ],
])('%s is refused with what to do next', (_what, edit, says) => {
  expect(edit).toThrow(says);
});
