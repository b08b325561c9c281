import { applicationIssues } from '../../model/configuration/application-issues';
import { configurationSchema } from '../../model/configuration/document';
import { startTestLookup, type TestLookup } from '../support/lookup';
import { testConfiguration } from '../support/played-worker';
import { describeWith } from '../support/servers';

const source = 'warehouse';
const administrators = { identities: ['clerk'] };
const applications = {
  mainframe: { source, administrators, hostInitiated: true, leadsTo: 'windows' },
  windows: { source, windowsInitiated: false },
  plain: { source, administrators },
  off: { source, administrators, hostInitiated: true, leadsTo: 'windows', enabled: false },
};

describeWith(['postgres'], 'a sign-in that an application begins', () => {
  let lookup: TestLookup;

  beforeAll(async () => {
    lookup = await startTestLookup({ people: ['alice', 'bob', 'clerk'] });
    await lookup.configure(applications);
    for (const application of ['mainframe', 'plain', 'off'])
      await lookup.store('alice', application, `ÄB12 in ${application}`);
    await lookup.store('alice', 'windows', 'word of windows');
    await lookup.store('bob', 'mainframe', 'word of bob');
  });
  afterAll(() => lookup.stop());
  beforeEach(async () => {
    await lookup.database.db.deleteFrom('sign_in_guard').execute();
    await lookup.audited();
  });

  const signIn = (who: string, application: string, userId: string, password: string) =>
    lookup.send(who, 'POST', '/v1/host-sign-ins', { application, userId, password });
  const reasons = async () => (await lookup.audited()).map(({ detail }) => detail.reason ?? null);

  test('the right user id and password lead to the credential of the same person', async () => {
    const { status, body } = await signIn('clerk', 'mainframe', 'ALICE', 'ÄB12 in mainframe');
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { application: 'windows', userId: 'alice', password: 'word of windows' },
    });
    expect(await lookup.audited()).toMatchObject([
      {
        action: 'credential.read',
        detail: { subject: 'windows', via: 'host', hostAccount: 'alice', account: 'alice' },
      },
    ]);
  });

  test('a password in another Unicode form is the same password', async () => {
    const decomposed = 'ÄB12 in mainframe'.normalize('NFD');
    expect((await signIn('clerk', 'mainframe', 'alice', decomposed)).status).toBe(200);
  });

  test('a wrong password, an unknown account and a caller without rights get the same answer', async () => {
    const wrong = await signIn('clerk', 'mainframe', 'alice', 'another one');
    expect(wrong).toMatchObject({ status: 404, body: { code: 'lookup_refused' } });
    const others = [
      await signIn('clerk', 'mainframe', 'stranger', 'another one'),
      await signIn('alice', 'mainframe', 'alice', 'ÄB12 in mainframe'),
      await signIn('clerk', 'plain', 'alice', 'ÄB12 in plain'),
      await signIn('clerk', 'off', 'alice', 'ÄB12 in off'),
      await signIn('clerk', 'mainframe', 'bob', 'word of bob'),
      await signIn('clerk', 'unknown', 'alice', 'another one'),
    ];
    expect(others.map(({ body }) => body)).toEqual(others.map(() => wrong.body));
    expect(await reasons()).toEqual([
      'password_differs',
      'account_unknown',
      'not_an_administrator',
      'not_host_initiated',
      'application_disabled',
      'no_credential',
      'application_unknown',
    ]);
  });

  test('a stored credential that may be an old one matches no password', async () => {
    const stored = (state: 'in_sync' | 'out_of_sync') =>
      lookup.database.db
        .updateTable('mapping')
        .set({ state })
        .where('application', '=', 'mainframe')
        .execute();
    await stored('out_of_sync');
    const answer = await signIn('clerk', 'mainframe', 'alice', 'ÄB12 in mainframe');
    expect(answer.body.code).toBe('lookup_refused');
    expect(await reasons()).toEqual(['credential_out_of_sync']);
    await stored('in_sync');
  });

  test('after two wrong passwords the right one is refused, too, by the guard that sign-ins have', async () => {
    const right = () => signIn('clerk', 'mainframe', 'alice', 'ÄB12 in mainframe');
    await signIn('clerk', 'mainframe', 'alice', 'guess 1');
    expect((await right()).status).toBe(200);
    await signIn('clerk', 'mainframe', 'alice', 'guess 1');
    await signIn('clerk', 'mainframe', 'alice', 'guess 2');
    expect((await right()).body.code).toBe('lookup_refused');
    expect(await reasons()).toEqual([
      ...['password_differs', null, 'password_differs', 'password_differs', 'guessing_blocked'],
    ]);
    const guards = await lookup.database.db.selectFrom('sign_in_guard').selectAll().execute();
    expect(guards).toMatchObject([{ failures: 2 }]);
  });

  test('many simultaneous guesses count as many', async () => {
    await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        signIn('clerk', 'mainframe', 'alice', `guess ${index}`),
      ),
    );
    const tried = (await reasons()).filter((reason) => reason === 'password_differs');
    expect(tried).toHaveLength(2);
  });

  test('a caller who does not administer the application cannot use up the guesses of a person', async () => {
    for (let guess = 0; guess < 3; guess++)
      await signIn('bob', 'mainframe', 'alice', `guess ${guess}`);
    expect(await lookup.database.db.selectFrom('sign_in_guard').selectAll().execute()).toEqual([]);
  });

  test('an application that leads to an unknown one is not valid', () => {
    const document = configurationSchema.parse({
      ...testConfiguration,
      applications: { mainframe: { source, hostInitiated: true, leadsTo: 'gone' } },
    });
    expect(applicationIssues(document)).toEqual([
      {
        path: ['applications', 'mainframe', 'leadsTo'],
        says: 'there is no application "gone"',
      },
    ]);
  });
});
