import {
  isAdministrator,
  isUser,
  mappedIdentity,
  syncedField,
} from '../../../model/configuration/application';
import {
  applicationIssues,
  fixedFieldIssues,
} from '../../../model/configuration/application-issues';
import { type Configuration, configurationSchema } from '../../../model/configuration/document';

const withApplication = (application: object): Configuration =>
  configurationSchema.parse({
    version: 1,
    peopleGroups: {
      finance: { attributes: { department: 'finance' } },
      leads: { identities: ['ada'], attributes: { department: 'finance', lead: 'yes' } },
      none: {},
    },
    applications: { wiki: { source: 'apps', ...application } },
  });
const wikiOf = ({ applications }: Configuration) => {
  if (applications.wiki === undefined) throw new Error('the document has no application "wiki"');
  return applications.wiki;
};
const person = (name: string, attributes: Record<string, string> = {}) => ({ name, attributes });

test('an application that names only its source is individual, enabled, with a user id and a masked password', () => {
  const wiki = wikiOf(withApplication({}));
  expect(wiki).toMatchObject({
    type: 'individual',
    enabled: true,
    windowsInitiated: true,
    hostInitiated: false,
    validatePassword: true,
    tickets: { allowed: false, validated: true },
  });
  expect(syncedField(wiki)).toMatchObject({ name: 'password', masked: true });
  expect(applicationIssues(withApplication({}))).toEqual([]);
});

test.each<[string, object, string]>([
  ['one field', { fields: [{ name: 'id' }] }, 'fewer than two'],
  ['a name twice', { fields: [{ name: 'id' }, { name: 'id' }] }, 'twice'],
  [
    'a synced user id',
    { fields: [{ name: 'id', synced: true }, { name: 'pin' }] },
    'the user id as its synced field',
  ],
  [
    'three fields and none synced',
    { fields: [{ name: 'id' }, { name: 'pin' }, { name: 'tenant' }] },
    'which field holds the password',
  ],
  [
    'a default for the password',
    { fields: [{ name: 'id' }, { name: 'pin', default: 'x' }] },
    'holds no secret',
  ],
  ['shared accounts without the type', { shared: [{ group: 'finance', identity: 'f' }] }, 'type'],
  ['the type group without shared accounts', { type: 'group' }, 'empty'],
  ['no validation for host-initiated', { hostInitiated: true, validatePassword: false }, 'false'],
  ['an unknown group of people', { users: { groups: ['marketing'] } }, '"marketing"'],
])('an application with %s is refused with what to write instead', (_what, application, says) => {
  expect(applicationIssues(withApplication(application)).map((issue) => issue.says)).toEqual([
    expect.stringContaining(says),
  ]);
});

test('the type and the fields of an application cannot be changed, its flags can', () => {
  const before = withApplication({});
  const after = withApplication({
    type: 'host-group',
    fields: [{ name: 'id' }, { name: 'pin' }],
    enabled: false,
    label: 'Wiki',
  });
  expect(fixedFieldIssues(before, after).map(({ path }) => path.join('.'))).toEqual([
    'applications.wiki.type',
    'applications.wiki.fields',
  ]);
  const { wiki, ...others } = after.applications;
  const renamed = { ...after, applications: { ...others, docs: wikiOf(after) } };
  expect(fixedFieldIssues(before, renamed)).toEqual([]);
});

test('a group of people contains those it names and those with all of its attributes; an empty one contains none', () => {
  const { peopleGroups, ...rest } = withApplication({ users: { groups: ['leads', 'none'] } });
  const wiki = wikiOf({ peopleGroups, ...rest });
  const uses = (who: ReturnType<typeof person>) => isUser(wiki, who, peopleGroups);
  expect(uses(person('ada'))).toBe(true);
  expect(uses(person('bob', { department: 'finance', lead: 'yes' }))).toBe(true);
  expect(uses(person('bob', { department: 'finance' }))).toBe(false);
  expect(uses(person('eve'))).toBe(false);
});

test('an application that lists no users is for everyone, and its administrators are listed', () => {
  const { peopleGroups, ...rest } = withApplication({ administrators: { identities: ['ada'] } });
  const wiki = wikiOf({ peopleGroups, ...rest });
  expect(isUser(wiki, person('eve'), peopleGroups)).toBe(true);
  expect(isAdministrator(wiki, person('eve'), peopleGroups)).toBe(false);
  expect(isAdministrator(wiki, person('ada'), peopleGroups)).toBe(true);
});

test('administrators use an application with listed users only where administratorAccountsSame is set', () => {
  const listed = { administrators: { identities: ['ada'] }, users: { identities: ['bob'] } };
  for (const same of [false, true]) {
    const { peopleGroups, ...rest } = withApplication({
      ...listed,
      administratorAccountsSame: same,
    });
    const wiki = wikiOf({ peopleGroups, ...rest });
    expect(isUser(wiki, person('ada'), peopleGroups)).toBe(same);
  }
});

test('the first group that contains a person decides which shared account the person uses', () => {
  const { peopleGroups, ...rest } = withApplication({
    type: 'group',
    shared: [
      { group: 'leads', identity: 'lead-batch' },
      { group: 'finance', identity: 'finance-batch' },
    ],
  });
  const wiki = wikiOf({ peopleGroups, ...rest });
  const used = (who: ReturnType<typeof person>) => mappedIdentity(wiki, who, peopleGroups);
  expect(used(person('bob', { department: 'finance', lead: 'yes' }))).toBe('lead-batch');
  expect(used(person('bob', { department: 'finance' }))).toBe('finance-batch');
  expect(used(person('eve'))).toBeNull();
});
