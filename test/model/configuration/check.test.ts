import { z } from 'zod';
import { checkConfiguration } from '../../../model/configuration/check';
import { differences } from '../../../model/configuration/differences';
import { configurationSchema, groupsOf } from '../../../model/configuration/document';
import { keepPolicies, lostPolicyIssues } from '../../../model/configuration/kept-policies';
import { keeps } from '../../support/rules';

const traits = {
  accepts: ['plaintext' as const],
  yields: ['plaintext' as const],
  proof: 'login' as const,
  reportsCurrent: true,
};
const kinds = new Map([
  [
    'ldap',
    {
      settings: z.strictObject({
        url: z.string().startsWith('ldaps://'),
        bindPassword: z.string(),
      }),
      secretSettings: ['bindPassword'],
      traits,
      traitsOf: () => traits,
    },
  ],
]);
const settings = { url: 'ldaps://corp.test', bindPassword: '${file:/run/secrets/corp}' };
const good = {
  version: 1,
  sources: { corp: { kind: 'ldap', settings }, apps: { kind: 'ldap', settings } },
  policies: { everyone: {} },
  groups: { all: { policy: 'everyone', authSource: 'corp', sources: ['corp', 'apps'] } },
  applications: { expenses: { source: 'apps' } },
};
const issuesOf = (document: unknown) => {
  const checked = checkConfiguration(document, kinds);
  return checked.valid ? [] : checked.issues.map(({ path, says }) => `${path.join('.')}: ${says}`);
};

test('a valid document is accepted, with its defaults', () => {
  const checked = checkConfiguration(good, kinds);
  expect(checked).toMatchObject({
    valid: true,
    configuration: { sources: { corp: { prove: 'always', enabled: true, lane: 'inline' } } },
  });
});

test('one wrong entry hides no other: the shape, settings, references and relations are all checked', () => {
  const issues = issuesOf({
    version: 2,
    sources: {
      corp: { kind: 'ldap', settings, prove: 'sometimes', colour: 'blue' },
      apps: {
        kind: 'ldap',
        settings: { url: 'ldap://x', bindPassword: 'in the clear', port: 1 },
        correlate: 'mail',
      },
      lone: { kind: 'ldpa', settings, policy: 'missing' },
    },
    policies: {
      everyone: { minLength: 'twelve' },
      strict: { minLength: 20, maxLength: 10, minUpper: 'one' },
    },
    groups: {
      all: { policy: 'everyone', authSource: 'crop', sources: ['corp', 'apps', 'aps'] },
      other: { policy: 'evryone', authSource: 'corp', sources: ['corp'], failureMode: 'x' },
    },
    applications: { expenses: { source: 'app', enabled: 'yes' } },
  });
  const paths = issues.map((issue) => issue.split(':')[0] ?? '');
  expect(new Set(paths)).toEqual(
    new Set([
      ...['version', 'sources.corp.prove', 'sources.corp.colour', 'sources.apps.correlate'],
      ...['sources.apps.settings.bindPassword', 'sources.apps.settings.url'],
      ...['sources.apps.settings.port', 'sources.lone.kind', 'sources.lone.policy'],
      ...['policies.everyone.minLength', 'policies.strict.minUpper', 'policies.strict.minLength'],
      ...['groups.all.authSource', 'groups.all.sources.2', 'groups.other.policy'],
      ...['groups.other.failureMode', 'groups.other.sources', 'groups.all.sources'],
      ...['applications.expenses.source', 'applications.expenses.enabled'],
    ]),
  );
});

test('a reference to an entry that is not valid is not reported as unknown', () => {
  const issues = issuesOf({
    ...good,
    sources: { ...good.sources, corp: { kind: 7, settings } },
    policies: { everyone: null },
  });
  expect(issues.map((issue) => issue.split(':')[0])).toEqual([
    'sources.corp.kind',
    'policies.everyone',
  ]);
});

test.each(['__proto__', 'constructor'])(
  'the name %s is refused wherever the document names something',
  (name) => {
    const text = JSON.stringify({
      ...good,
      sources: {
        ...good.sources,
        NAME: good.sources.corp,
        apps: { ...good.sources.apps, correlate: [{ NAME: 'mail' }] },
      },
      policies: { everyone: {}, NAME: {} },
      groups: { ...good.groups, NAME: good.groups.all },
      applications: { NAME: { source: 'apps' } },
      peopleGroups: { NAME: {} },
    });
    const issues = issuesOf(JSON.parse(text.replaceAll('NAME', name)));
    for (const path of [
      ...['sources', 'policies', 'groups', 'applications', 'peopleGroups'].map(
        (section) => `${section}.${name}`,
      ),
      `sources.apps.correlate.0.${name}`,
    ])
      expect(issues).toContainEqual(expect.stringMatching(`^${path}: .*cannot be a name`));
  },
);

describe('an invalid document is refused with the field and what to write instead', () => {
  test.each<[string, unknown, RegExp]>([
    ['an unknown field is refused', { ...good, sauces: {} }, /sauces/],
    [
      'a source name with capitals is refused',
      { ...good, sources: { Corp: good.sources.corp } },
      /lower-case/,
    ],
    [
      'an unknown connector is refused, with the known ones',
      { ...good, sources: { ...good.sources, apps: { kind: 'ldpa', settings } } },
      /sources\.apps\.kind: there is no connector "ldpa"; there are: ldap/,
    ],
    [
      'a setting that the connector does not accept is refused',
      {
        ...good,
        sources: {
          ...good.sources,
          apps: { kind: 'ldap', settings: { ...settings, url: 'ldap://x' } },
        },
      },
      /sources\.apps\.settings\.url/,
    ],
    [
      'a secret written into the file is refused',
      {
        ...good,
        sources: {
          ...good.sources,
          apps: { kind: 'ldap', settings: { ...settings, bindPassword: 'hunter2' } },
        },
      },
      /sources\.apps\.settings\.bindPassword: holds a secret; write a reference to it instead/,
    ],
    [
      'a group of one source is refused',
      { ...good, groups: { all: { ...good.groups.all, sources: ['corp'] } } },
      /groups\.all\.sources: has fewer than two sources/,
    ],
    [
      'a source in two groups is refused',
      { ...good, groups: { all: good.groups.all, both: good.groups.all } },
      /groups\.both\.sources: contains the source "corp", which another group contains too/,
    ],
    [
      'a policy that does not exist is refused',
      { ...good, groups: { all: { ...good.groups.all, policy: 'strict' } } },
      /groups\.all\.policy: there is no policy "strict"; there are: everyone/,
    ],
    [
      'a policy of its own is refused for a source of a group',
      {
        ...good,
        sources: { ...good.sources, apps: { ...good.sources.apps, policy: 'everyone' } },
      },
      /sources\.apps\.policy: is not needed: the source is in the group "all"/,
    ],
    [
      'a policy of its own that does not exist is refused',
      { ...good, sources: { ...good.sources, hr: { ...good.sources.apps, policy: 'strict' } } },
      /sources\.hr\.policy: there is no policy "strict"; there are: everyone/,
    ],
    [
      'an application of an unknown source is refused',
      { ...good, applications: { expenses: { source: 'erp' } } },
      /applications\.expenses\.source: there is no source "erp"/,
    ],
  ])('%s', (_title, document, expected) => {
    expect(issuesOf(document).join('\n')).toMatch(expected);
  });

  test('a secret in the file is not repeated in the issue', () => {
    const source = { kind: 'ldap', settings: { ...settings, bindPassword: 'hunter2' } };
    expect(issuesOf({ ...good, sources: { corp: source } }).join()).not.toContain('hunter2');
  });

  test('all issues of a document are reported at once', () => {
    const worse = {
      ...good,
      groups: { all: { ...good.groups.all, sources: ['corp'], policy: 'no' } },
    };
    expect(issuesOf(worse)).toHaveLength(2);
  });
});

test('the differences name what is created, updated field by field, and deleted', () => {
  const from = configurationSchema.parse(good);
  const to = configurationSchema.parse({
    ...good,
    sources: {
      corp: { ...good.sources.corp, settings: { ...settings, url: 'ldaps://new.test' } },
      hr: good.sources.apps,
    },
    applications: {},
  });
  expect(differences(from, to)).toEqual([
    { action: 'delete', section: 'sources', name: 'apps', fields: [] },
    { action: 'update', section: 'sources', name: 'corp', fields: ['settings.url'] },
    { action: 'create', section: 'sources', name: 'hr', fields: [] },
    { action: 'delete', section: 'applications', name: 'expenses', fields: [] },
  ]);
  expect(differences(from, from)).toEqual([]);
});

describe('the sources of a removed group keep its policy (reference semantics §6.9)', () => {
  const inForce = configurationSchema.parse(good);
  const withoutGroup = configurationSchema.parse({ ...good, groups: {} });
  const policies = ({ sources }: typeof inForce) =>
    Object.values(sources).map(({ policy }) => policy);

  test(
    keeps('each source of a removed group keeps its policy and is changed on its own', 9),
    () => {
      const kept = keepPolicies(inForce, withoutGroup);
      expect(policies(kept)).toEqual(['everyone', 'everyone']);
      expect(groupsOf(kept).map(({ name, policy, sources }) => [name, policy, sources])).toEqual([
        ['source:corp', 'everyone', ['corp']],
        ['source:apps', 'everyone', ['apps']],
      ]);
    },
  );

  test(
    keeps(
      'a source keeps the policy of a removed group when the same document is applied again',
      9,
    ),
    () => {
      expect(policies(keepPolicies(keepPolicies(inForce, withoutGroup), withoutGroup))).toEqual([
        'everyone',
        'everyone',
      ]);
    },
  );

  test('a source of a removed group does not keep its policy when it names another one', () => {
    const sources = { ...good.sources, apps: { ...good.sources.apps, policy: 'strict' } };
    const document = { ...good, groups: {}, sources, policies: { everyone: {}, strict: {} } };
    expect(policies(keepPolicies(inForce, configurationSchema.parse(document)))).toEqual([
      'everyone',
      'strict',
    ]);
  });

  test('a source keeps the policy of a removed group only until it is in a group again', () => {
    const kept = keepPolicies(inForce, withoutGroup);
    expect(policies(keepPolicies(kept, inForce))).toEqual([undefined, undefined]);
  });

  test('a policy that a source keeps cannot be removed, and the issue names it', () => {
    const gone = configurationSchema.parse({ ...good, groups: {}, policies: {} });
    expect(lostPolicyIssues(keepPolicies(inForce, gone))).toContainEqual({
      path: ['sources', 'corp'],
      says: expect.stringContaining('keeps the policy "everyone"'),
    });
  });
});

test('an isolated source captures no passwords, because the workers that evaluate captures cannot ask it', () => {
  const sources = (apps: object) => ({
    ...good,
    sources: { ...good.sources, apps: { ...good.sources.apps, isolated: true, ...apps } },
  });
  expect(issuesOf(sources({}))).toEqual([]);
  expect(issuesOf(sources({ capture: { enabled: true } }))).toEqual([
    'sources.apps.isolated: an isolated source captures no passwords: remove capture, and syncFromAdapter of its adapter, or set isolated to false',
  ]);
});

test('an isolated source gets no old password, because its worker cannot open stored credentials', () => {
  const apps = { ...good.sources.apps, isolated: true, adapter: { sendOldPassword: true } };
  expect(issuesOf({ ...good, sources: { ...good.sources, apps } })).toEqual([
    'sources.apps.isolated: an isolated source gets no old password, because its worker cannot open stored credentials: remove sendOldPassword of its adapter, or set isolated to false',
  ]);
});
