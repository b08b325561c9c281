import type { WorkflowExecutionDescription } from '@temporalio/client';
import { sql } from 'kysely';
import { savePublicUrl } from '../../store/public-url';
import { linksToChanges } from '../../worker/changes/link-to-change';
import { describeWorkflow, withClient } from '../support/engine-client';
import { newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { workerSuite } from '../support/worker-suite';

/** What an operator sees of a change in the Temporal Web UI, which shows what the server returns here. */
describeWith(['slapd', 'postgres', 'temporal'], 'the Temporal Web UI', () => {
  const suite = workerSuite();

  const accept = (person: string) => suite.lockstep.accept({ person, password: newPassword() });
  const describeNow = (id: string): Promise<WorkflowExecutionDescription> =>
    withClient(suite.engine, (client) => client.workflow.getHandle(id).describe());
  const historyOf = (id: string) =>
    withClient(suite.engine, (client) => client.workflow.getHandle(id).fetchHistory());
  /** When the timer of a change that waits for a source ends. */
  async function timerEndsAt(id: string): Promise<number> {
    let endsAt = Number.NaN;
    await until(async () => {
      const started = (await historyOf(id)).events?.find(
        (event) => event.timerStartedEventAttributes,
      );
      const { seconds, nanos } = started?.timerStartedEventAttributes?.startToFireTimeout ?? {};
      endsAt = 1000 * (Number(started?.eventTime?.seconds) + Number(seconds)) + Number(nanos) / 1e6;
      return started !== undefined;
    });
    return endsAt;
  }
  const stateOf = async (id: string) => (await describeNow(id)).searchAttributes.LockstepState;

  test('the workflow of a change that reaches every account completes', async () => {
    const id = await accept((await suite.addPerson('directory', 'apps')).person);
    await suite.lockstep.readEnd(id);
    const { status, searchAttributes } = await describeWorkflow(suite.engine, id);
    expect([status.name, searchAttributes.LockstepState]).toEqual(['COMPLETED', ['done']]);
  });

  test.each<['directory' | 'apps', string, string]>([
    ['directory', 'refused', 'the auth account was not changed'],
    ['apps', 'partial', 'some accounts hold the new password, some do not'],
  ])(
    'the workflow of a change whose account in "%s" is rejected fails as %s, with the reason of the account',
    async (system, state, says) => {
      const { person, accounts } = await suite.addPerson('directory', 'apps');
      await suite.rejectPasswords(accounts.find(({ source }) => source === system));
      const id = await accept(person);
      await suite.lockstep.readEnd(id);
      const { status, searchAttributes } = await describeWorkflow(suite.engine, id);
      expect([status.name, searchAttributes.LockstepState]).toEqual(['FAILED', [state]]);
      const failure = await withClient(suite.engine, (client) =>
        client.workflow
          .getHandle(id)
          .result()
          .then(
            () => null,
            (error) => error.cause,
          ),
      );
      expect(failure).toMatchObject({ type: state, stack: expect.not.stringContaining('.ts') });
      expect(failure.message).toContain(says);
      expect(failure.message).toContain(`${system}: rejected by its source (policy_too_short)`);
    },
  );

  test('a change that waits shows waiting, and one that is cancelled then completes', async () => {
    const { person } = await suite.addPerson('directory', 'apps');
    await suite.takeAway('apps');
    const id = await accept(person);
    await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
    await until(async () => String(await stateOf(id)) === 'waiting');
    await suite.lockstep.command(id, 'cancel');
    const { status, searchAttributes } = await describeWorkflow(suite.engine, id);
    expect([status.name, searchAttributes.LockstepState]).toEqual(['COMPLETED', ['partial']]);
  });

  test('a change whose auth account waits shows waiting until the auth account is changed', async () => {
    const { person } = await suite.addPerson('directory', 'apps');
    await suite.takeAway('directory');
    const id = await accept(person);
    await suite.lockstep.readUntil(id, ({ accounts: [auth] }) => auth?.state === 'waiting');
    await until(async () => String(await stateOf(id)) === 'waiting');
    await suite.company.proxies.directory.pass();
    await suite.lockstep.command(id, 'retry');
    const { status, searchAttributes } = await describeWorkflow(suite.engine, id);
    expect([status.name, searchAttributes.LockstepState]).toEqual(['COMPLETED', ['done']]);
  });

  test('a pass has the names of its sources', async () => {
    const id = await accept((await suite.addPerson('directory', 'apps', 'crm')).person);
    await suite.lockstep.readEnd(id);
    const history = await historyOf(id);
    const names = (history.events ?? []).flatMap(({ markerRecordedEventAttributes: marker }) => {
      const data = marker?.details?.data?.payloads?.[0]?.data;
      return data == null ? [] : [JSON.parse(Buffer.from(data).toString()).activity_type];
    });
    expect(names.sort()).toEqual(['changeAuthAccount', 'closeChange', 'pass over apps, crm']);
  });

  test('the countdown of an account that waits for its source ends soon after the next probe of the source', async () => {
    const people = await Promise.all([
      suite.addPerson('directory', 'apps'),
      suite.addPerson('directory', 'apps'),
    ]);
    await suite.takeAway('apps');
    const { db } = suite.lockstep.database;
    const first = await accept(people[0].person);
    await suite.lockstep.readUntil(first, ({ state }) => state === 'waiting');
    await sql`update source_state set failures = 6, next_probe_at = now() + interval '40 minutes'`.execute(
      db,
    );
    const second = await accept(people[1].person);
    await suite.lockstep.readUntil(second, ({ state }) => state === 'waiting');
    const { accounts } = await suite.lockstep.read(second);
    const probeAt = accounts[1]?.nextTryAt?.getTime() ?? Number.NaN;
    const shown = await timerEndsAt(second);
    expect(shown - probeAt).toBeGreaterThan(0);
    // Without the source, the next look would be an hour away.
    expect(shown - probeAt).toBeLessThan(120_000);
    for (const id of [first, second]) {
      await suite.lockstep.command(id, 'cancel');
      await suite.lockstep.readEnd(id);
    }
  });

  test('an account that waits only for its source costs no activity, and the timer has the name of the source', async () => {
    const { person } = await suite.addPerson('directory', 'apps');
    await suite.takeAway('apps');
    const id = await accept(person);
    await suite.lockstep.readUntil(id, ({ state }) => state === 'waiting');
    await timerEndsAt(id);
    const { events } = await historyOf(id);
    expect(events?.filter((event) => event.activityTaskScheduledEventAttributes)).toEqual([]);
    const started = events?.find((event) => event.timerStartedEventAttributes);
    const summary = Buffer.from(started?.userMetadata?.summary?.data ?? []).toString();
    expect(JSON.parse(summary)).toBe('until apps is tried again');
    await suite.company.proxies.apps.pass();
    await suite.lockstep.command(id, 'retry');
    expect((await suite.lockstep.readEnd(id)).state).toBe('done');
  });

  test('"Open this change" leads to the public URL that only the api knows', async () => {
    const { db } = suite.lockstep.database;
    const own = linksToChanges(db, 'https://own.test/', 'http://127.0.0.1');
    expect(await linksToChanges(db, undefined, 'http://127.0.0.1')('chg_1')).toBe(
      'http://127.0.0.1/changes/chg_1',
    );
    await savePublicUrl(db, 'https://old.test');
    await savePublicUrl(db, 'https://passwords.test/lockstep');
    expect(await linksToChanges(db, undefined, 'http://127.0.0.1')('chg_1')).toBe(
      'https://passwords.test/lockstep/changes/chg_1',
    );
    expect(await own('chg_1')).toBe('https://own.test/changes/chg_1');
  });
});
