import {
  describedApplication,
  describedSource,
  groupTitle,
} from '../../../model/configuration/described';
import { differences } from '../../../model/configuration/differences';
import { configurationSchema } from '../../../model/configuration/document';
import { everyIssue } from '../../../model/configuration/every-issue';

const issuesOf = (title: unknown): string[] =>
  everyIssue(
    configurationSchema,
    { version: 1, sources: { crm: { kind: 'ldap', settings: {}, title } } },
    3,
  ).issues.map(({ path, message }) => `${path.join('.')} ${message}`);

describe('what people read about sources, groups and applications', () => {
  const configuration = configurationSchema.parse({
    version: 1,
    sources: {
      crm: {
        kind: 'ldap',
        settings: {},
        policy: 'everyone',
        title: { en: 'Customers', de: 'Kunden' },
        hint: { de: 'Melden Sie sich neu an.' },
      },
      'corp-directory': { kind: 'ldap', settings: {} },
    },
    groups: { 'one-password': { policy: 'everyone', authSource: 'corp-directory', sources: [] } },
    applications: {
      reports: { source: 'crm', label: 'Monthly reports' },
      wiki: { source: 'crm', label: 'Old', title: { en: 'Wiki' } },
    },
  });

  test('a title and a hint have every language, and a missing one has the text of the other', () => {
    expect(describedSource(configuration, 'crm')).toEqual({
      title: { en: 'Customers', de: 'Kunden' },
      hint: { en: 'Melden Sie sich neu an.', de: 'Melden Sie sich neu an.' },
    });
  });

  test('a source without a title, or that the configuration lost, has its technical name in words', () => {
    expect(describedSource(configuration, 'corp-directory')).toEqual({
      title: { en: 'Corp directory', de: 'Corp directory' },
      hint: null,
    });
    expect(describedSource(configuration, 'hr').title.en).toBe('HR');
    expect(describedSource(null, 'constructor').title.en).toBe('Constructor');
  });

  test('the label of an application is its title in every language, unless it has a title', () => {
    expect(describedApplication(configuration, 'reports').title.de).toBe('Monthly reports');
    expect(describedApplication(configuration, 'wiki').title.de).toBe('Wiki');
  });

  test('the group of a source with a policy of its own has the title of the source', () => {
    expect(groupTitle(configuration, 'source:crm').de).toBe('Kunden');
    expect(groupTitle(configuration, 'one-password').en).toBe('One password');
  });

  test('a plan shows which text of a title changes', () => {
    const renamed = structuredClone(configuration);
    Object.assign(renamed.sources.crm?.title ?? {}, { en: 'Clients' });
    expect(differences(configuration, renamed)).toEqual([
      { action: 'update', section: 'sources', name: 'crm', fields: ['title.en'] },
    ]);
  });

  test.each([
    ['of two lines', { en: 'a\nb' }],
    ['with a character that reverses text', { en: 'a\u202eb' }],
    ['with half of a character', { en: '\ud800' }],
    ['of spaces', { de: '  ' }],
    ['of more than 60 characters', { de: 'x'.repeat(61) }],
    ['in no language', {}],
    ['in an unknown language', { fr: 'Clients' }],
    ['without a language', 'Customers'],
  ])('a title %s is refused', (_what, title) => {
    expect(issuesOf(title)[0]).toMatch(/^sources\.crm\.title/);
  });

  test('a title with markup or in another script is accepted, because pages escape it', () => {
    expect(issuesOf({ en: '<b>R&D</b>', de: 'Zürich, 東京' })).toEqual([]);
  });
});
