import {
  claimedIdentity,
  claimedName,
  isPerson,
  signInSchema,
  staffRights,
} from '../../../model/configuration/sign-in';

const document = {
  issuer: 'https://login.example.com',
  clientId: 'lockstep',
  roles: [
    { group: 'berlin', roles: ['help-desk'], groups: ['one-password'] },
    { group: 'desk', roles: ['help-desk', 'auditor'] },
    { group: 'operations', roles: ['operator', 'person'] },
    { roles: ['person'] },
  ],
};
const settings = signInSchema.parse(document);

describe('the settings of the sign-in', () => {
  test.each([
    [['desk', 'berlin'], { scopes: ['help-desk'], groups: ['one-password'] }],
    [['desk'], { scopes: ['help-desk', 'audit'], groups: null }],
    [['operations'], { scopes: ['operate'], groups: null }],
    [['berliner'], null],
    [[], null],
    [undefined, null],
    ['operations', { scopes: ['operate'], groups: null }],
  ])('give a user of the groups %j the rights of the first row that matches', (groups, rights) => {
    expect(staffRights(settings, { groups })).toEqual(rights);
  });

  test('let everyone be a person by a row without a group, and only the group by a row with one', () => {
    expect(isPerson(settings, {})).toBe(true);
    const some = signInSchema.parse({
      ...document,
      roles: [{ group: 'staff', roles: ['person'] }],
    });
    expect([isPerson(some, { groups: ['staff'] }), isPerson(some, { groups: [] })]).toEqual([
      true,
      false,
    ]);
  });

  test('take a mail address as identity only if the provider has verified it', () => {
    const byMail = signInSchema.parse({ ...document, identityClaim: 'email' });
    const email = 'ada@example.com';
    expect([
      claimedIdentity(byMail, { email }),
      claimedIdentity(byMail, { email, email_verified: 'true' }),
      claimedIdentity(byMail, { email, email_verified: true }),
      claimedIdentity(settings, { preferred_username: '' }),
      claimedIdentity(settings, { preferred_username: ['ada'] }),
    ]).toEqual([null, null, email, null, null]);
  });

  test('name a member of the staff by the next claim if one is missing', () => {
    expect([
      claimedName(settings, { name: 'Dora Desk', sub: '1' }),
      claimedName(settings, { name: '', email: 'dora@example.com' }),
      claimedName(settings, { sub: '1' }),
    ]).toEqual(['Dora Desk', 'dora@example.com', '1']);
  });

  test.each([
    ['an issuer without TLS', { issuer: 'http://login.example.com' }],
    ['no role', { roles: [] }],
    ['an unknown field', { clientSecret: 'x' }],
    ['an administrator in groups', { roles: [{ roles: ['administrator'], groups: ['berlin'] }] }],
    ['a relative path of the secret', { clientSecretFile: 'secret' }],
  ])('are refused with %s', (_what, more) => {
    expect(signInSchema.safeParse({ ...document, ...more }).success).toBe(false);
  });
});
