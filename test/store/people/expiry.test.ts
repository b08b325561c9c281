import { accountRulesOf } from '../../../connectors/registry';
import { configurationSchema } from '../../../model/configuration/document';
import { expirySchema } from '../../../model/policy/expiry';
import { applyConfiguration } from '../../../store/configuration/versions';
import { forgetNotices } from '../../../store/notices/watch';
import { remindOfExpiry } from '../../../store/people/expiry';
import { startTestApi, type TestApi } from '../../support/api';
import { addPerson, planned, settled, testConfiguration } from '../../support/played-worker';
import { describeWith } from '../../support/servers';

const GROUP = 'one-password';
const settings = expirySchema.parse({ maxAgeDays: 90, remindDaysBefore: [14, 7, 1] });

test('a reminder must come after the change', () => {
  const parsed = expirySchema.safeParse({ maxAgeDays: 7, remindDaysBefore: [7] });
  expect(parsed.error?.issues.map(({ path }) => path)).toEqual([['remindDaysBefore']]);
});

describeWith(['postgres'], 'the expiry of passwords', () => {
  let api: TestApi;
  let people = 0;
  beforeAll(async () => {
    api = await startTestApi();
    const document = configurationSchema.parse({
      ...testConfiguration,
      groups: {
        ...testConfiguration.groups,
        [GROUP]: { ...testConfiguration.groups[GROUP], expiry: settings },
      },
    });
    await applyConfiguration(api.database.db, document, 0, 'test', accountRulesOf);
  });
  afterAll(() => api.stop());

  async function person(): Promise<string> {
    people += 1;
    await addPerson(api.database.db, `person-${people}`);
    return `person-${people}`;
  }
  /** A person whose password Lockstep changed this many days ago. */
  async function changed(daysAgo: number): Promise<string> {
    const name = await person();
    const { body } = await api.send('POST', '/v1/changes', {
      body: { identity: name, password: 'correct horse battery staple' },
    });
    await planned(api.database.db, String(body.id), name);
    await query(
      `update account a set claimed_seq = c.seq from change c
       where c.id = $1 and a.identity_id = c.identity_id`,
      [body.id],
    );
    await settled(api.database.db, String(body.id), 'directory');
    await ages(name, daysAgo);
    return name;
  }
  const query = async (text: string, values: unknown[]) =>
    (await api.database.pool.query(text, values)).rows;
  const ages = (name: string, daysAgo: number) =>
    query(
      `update change set created_at = now() - make_interval(days => $2) where identity_name = $1`,
      [name, daysAgo],
    );
  const reminders = async (name: string) => {
    await remindOfExpiry(api.database.db, GROUP, 'directory', settings);
    return (
      await query(
        `select n.kind from notice n join identity i on i.id = n.identity_id
         where i.name = $1 and n.kind like 'password_expir%' order by number`,
        [name],
      )
    ).map(({ kind }) => kind);
  };
  const shown = async (name: string) =>
    (await api.send('GET', `/v1/identities/${name}/overview`)).body.expiry as {
      changedAt: string;
      expiresAt: string;
    }[];

  test('a person is reminded once at each of the configured times, and once when the password has expired', async () => {
    const name = await changed(70);
    expect(await reminders(name)).toEqual([]);
    await ages(name, 77);
    expect(await reminders(name)).toEqual(['password_expiring']);
    expect(await reminders(name)).toEqual(['password_expiring']);
    // Hours pass in which the time of the change stays the same; here the change itself is moved.
    await ages(name, 91);
    expect(await reminders(name)).toEqual(['password_expiring', 'password_expired']);
  });

  test('a reminder is not repeated when the other notices of its age are deleted', async () => {
    const name = await changed(80);
    await reminders(name);
    await query(
      `update notice set state = 'sent', created_at = now() - interval '31 days',
         due_at = now() - interval '31 days'`,
      [],
    );
    await forgetNotices(api.database.db);
    const [first] = await query(
      `select created_at from notice where kind = 'password_expiring'`,
      [],
    );
    expect(await reminders(name)).toEqual(['password_expiring']);
    const kept = await query(`select created_at from notice where kind = 'password_expiring'`, []);
    expect(kept).toContainEqual(first);
  });

  test('a person gets only the last of the reminders that are due at once', async () => {
    expect(await reminders(await changed(88))).toEqual(['password_expiring']);
    expect(await reminders(await changed(200))).toEqual(['password_expired']);
  });

  test('a person whose password Lockstep never saw change is not reminded, until the source reports the time', async () => {
    const name = await person();
    expect([await reminders(name), await shown(name)]).toEqual([
      [],
      [{ group: GROUP, changedAt: null, expiresAt: null }],
    ]);
    await query(
      `update account set changed_there_at = now() - interval '89 days 12 hours'
       where source = 'directory' and name = $1`,
      [name],
    );
    expect(await reminders(name)).toEqual(['password_expiring']);
    const [{ changedAt = '', expiresAt = '' } = {}] = await shown(name);
    expect(Date.parse(expiresAt) - Date.parse(changedAt)).toBe(90 * 86_400_000);
  });

  test('the newer of the times counts, and a person whose account is missing is not reminded', async () => {
    const name = await changed(100);
    await query('update account set changed_there_at = now() where name = $1', [name]);
    expect(await reminders(name)).toEqual([]);
    const leaver = await changed(100);
    await query('update account set missing_since = now() where name = $1', [leaver]);
    expect(await reminders(leaver)).toEqual([]);
  });
});
