import {
  connectedBy,
  inputs,
  NEW_GROUP,
  NEW_POLICY,
  OWN_PASSWORD,
  takenNames,
} from '../../console/desk/connect-document';
import type { Configuration } from '../../model/configuration/document';

/** A configuration with fields that the form does not show. */
const configuration = {
  version: 1,
  sources: { corp: { kind: 'ldap', settings: {}, enabled: false, maintenance: ['Sun 02:00'] } },
  policies: { everyone: { minLength: 20 }, 'everyone-2': { minLength: 30 } },
  groups: {
    all: {
      ...{ policy: 'everyone', authSource: 'corp', sources: ['corp'] },
      ...{ title: { en: 'All' }, multipleAccountPasswordSync: true },
    },
  },
  applications: { wiki: { source: 'corp' } },
  ...{ peopleGroups: {}, sso: { switches: {} }, notices: { channels: { ops: {} } } },
} as unknown as Configuration;

const connected = (typed: Readonly<Record<string, string>>) =>
  connectedBy(configuration, 'ldap', [], (input) => typed[input] ?? '');

describe('the document of the form that connects a source', () => {
  test.each<[string, Readonly<Record<string, string>>]>([
    ['no group', {}],
    ['an own password', { group: OWN_PASSWORD, policy: NEW_POLICY }],
    [
      'an own password with a policy of the configuration',
      { group: OWN_PASSWORD, policy: 'everyone' },
    ],
    [
      'a new group',
      { group: NEW_GROUP, 'new-group': 'two', 'other-source': 'corp', policy: NEW_POLICY },
    ],
    ['a group that it joins', { group: 'all' }],
  ])('leaves every other entry and field as it is, with %s', (_title, typed) => {
    const { document } = connected({ name: 'new', ...typed });
    const { all, ...groups } = configuration.groups;
    expect(document).toMatchObject({ ...configuration, groups });
    const joined = typed.group === 'all' ? { sources: ['corp', 'new'] } : {};
    expect(document.groups).toHaveProperty('all', { ...all, ...joined });
  });

  test('gives a new policy a name that no policy has', () => {
    const { document } = connected({ name: 'new', group: OWN_PASSWORD, policy: NEW_POLICY });
    expect(document.policies).toEqual({ ...configuration.policies, 'everyone-3': {} });
    expect(document.sources).toHaveProperty('new.policy', 'everyone-3');
  });

  test('does not take the name of a source or of a group that exists', () => {
    const taken = (typed: Readonly<Record<string, string>>) =>
      Object.keys(takenNames(configuration, (input) => typed[input] ?? ''));
    expect(taken({ name: ' corp ' })).toEqual([inputs.name]);
    const group = { name: 'new', 'new-group': ' all ' };
    expect(taken({ ...group, group: NEW_GROUP })).toEqual([inputs.newGroup]);
    expect(taken({ ...group, group: 'all' })).toEqual([]);
    expect(taken({ name: 'toString' })).toEqual([]);
  });
});
