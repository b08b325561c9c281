import { sql } from 'kysely';
import { untriedSettlement } from '../../../activities/shared/untried-settlement';
import { exactNaming, exactRules } from '../../../model/people/naming';
import { findIdentity, saveIdentity } from '../../../store/people/identities';
import { unlinkAccount } from '../../../store/people/links';
import { type ClaimedAccount, claimAccounts } from '../../../store/worker/claims';
import { type Settlement, settleAccounts } from '../../../store/worker/outcomes';
import { storePlan } from '../../../store/worker/store-plan';
import { type TestDatabase, testDatabase } from '../../support/database';
import { appliedTo } from '../../support/played-worker';
import { keeps } from '../../support/rules';
import { describeWith } from '../../support/servers';

/** Claims keep two changes of one person from undoing each other. */
describeWith(['postgres'], 'claims', () => {
  let database: TestDatabase;
  let identityId: string;
  let accountId: string;
  const lastClaims = new Map<string, ClaimedAccount>();

  beforeEach(async () => {
    database = await testDatabase();
    lastClaims.clear();
    const link = { source: 'apps', name: 'a1', nativeId: null, primary: true };
    await saveIdentity(
      database.db,
      { name: 'alice', attributes: {} },
      [link],
      'operator',
      'test',
      () => exactRules,
    );
    const alice = await findIdentity(database.db, { name: 'alice' });
    identityId = alice?.id ?? '';
    accountId = alice?.accounts[0]?.id ?? '';
  });
  afterEach(() => database.close());

  async function change(seq: number) {
    const id = `chg_${seq}`;
    await sql`insert into change (id, identity_id, identity_name, seq, groups, requested_by, requested_by_name,
                                  configuration_version, expires_at)
              values (${id}, ${identityId}, 'alice', ${seq}, '{all}', 'k', 'k', 0, now() + interval '1 day')`.execute(
      database.db,
    );
    const account = { label: 'apps', source: 'apps', accountId, accountName: 'a1' };
    await storePlan(database.db, id, [{ ...account, role: 'member', leftOut: null }]);
    return { id, seq, identityId };
  }
  const claim = async (of: { id: string; seq: number; identityId: string }) => {
    const [claimed] = await claimAccounts(database.db, of, { source: 'apps', role: 'member' });
    if (claimed?.verdict === 'claimed') lastClaims.set(of.id, claimed);
    return claimed;
  };
  /** Records that the last attempt was applied, or what `more` gives instead. */
  const settle = (
    of: { id: string; seq: number; identityId: string },
    more: Partial<Settlement> = {},
  ) => {
    const claimed = lastClaims.get(of.id);
    const claim = claimed === undefined ? {} : { claim: claimed };
    return settleAccounts(database.db, of, [{ ...appliedTo('apps'), ...claim, ...more }]);
  };

  test('a first attempt is counted before anything is sent and is not in doubt', async () => {
    expect(await claim(await change(1))).toMatchObject({
      verdict: 'claimed',
      attempts: 1,
      inDoubt: false,
    });
  });

  test(keeps('the next attempt after a crash knows that the account is in doubt', 24), async () => {
    const first = await change(1);
    await claim(first);
    expect(await claim(first)).toMatchObject({ verdict: 'claimed', attempts: 2, inDoubt: true });
  });

  test('a newer change waits while an attempt of an older change runs', async () => {
    const [older, newer] = [await change(1), await change(2)];
    await claim(older);
    expect(await claim(newer)).toMatchObject({ verdict: 'in_use' });
    await settle(older);
    expect(await claim(newer)).toMatchObject({ verdict: 'claimed' });
  });

  test(
    keeps('an older change leaves alone what a newer change has begun or written', 12),
    async () => {
      const [older, newer] = [await change(1), await change(2)];
      await claim(newer);
      expect(await claim(older)).toMatchObject({ verdict: 'behind' });
      await settle(newer);
      expect(await claim(older)).toMatchObject({ verdict: 'superseded' });
    },
  );

  test(
    keeps('an older change continues when the newer change before it is rejected', 12),
    async () => {
      const [older, newer] = [await change(1), await change(2)];
      await claim(newer);
      await settle(newer, { state: 'rejected', reason: 'wrong_current_password', proof: 'none' });
      expect(await claim(older)).toMatchObject({ verdict: 'claimed' });
    },
  );

  test(
    keeps('an older change waits behind a newer one that itself waits for the source', 12),
    async () => {
      const [older, newer] = [await change(1), await change(2)];
      await claim(newer);
      const later = { state: 'waiting', reason: 'unreachable', nextTryInMs: 60_000 } as const;
      await settle(newer, { ...later, proof: 'none' });
      expect(await claim(older)).toMatchObject({ verdict: 'behind' });
    },
  );

  test('a newer change keeps its claim when it ends in doubt, because the account may hold its password', async () => {
    const [older, newer] = [await change(1), await change(2)];
    await claim(newer);
    const doubt = { state: 'parked', reason: 'not_proved', inDoubt: true } as const;
    await settle(newer, { ...doubt, proof: 'none' });
    expect(await claim(older)).toMatchObject({ verdict: 'behind' });
  });

  test('an older change leaves alone an account that holds a newer password, whatever claimed it last', async () => {
    const older = await change(1);
    await sql`update account set applied_seq = 2, claimed_seq = 0`.execute(database.db);
    expect(await claim(older)).toMatchObject({ verdict: 'superseded' });
  });

  test('the claim of a dead worker ends with its lease', async () => {
    const [older, newer] = [await change(1), await change(2)];
    await claim(older);
    await sql`update account set claimed_until = now() - interval '1 second'`.execute(database.db);
    expect(await claim(newer)).toMatchObject({ verdict: 'claimed' });
  });

  test('no newer change writes before the lease of an unsettled attempt ends, because its worker may be frozen', async () => {
    const [older, newer] = [await change(1), await change(2)];
    expect(await claim(older)).toMatchObject({ leasedBefore: null });
    const again = await claim(older);
    expect(again).toMatchObject({
      verdict: 'claimed',
      inDoubt: true,
      leasedBefore: expect.any(Date),
    });
    await settle(older, again && { claim: again });
    expect(await claim(newer)).toMatchObject({ verdict: 'in_use' });
  });

  test('no newer change writes before the lease of a cancelled attempt ends', async () => {
    const [older, newer] = [await change(1), await change(2)];
    await claim(older);
    const status = { label: 'apps', state: 'applying', inDoubt: false } as const;
    await settleAccounts(database.db, older, [untriedSettlement(status, 'cancelled', null)]);
    expect(await claim(newer)).toMatchObject({ verdict: 'in_use' });
  });

  test('only the result of the newest attempt is recorded', async () => {
    const only = await change(1);
    const [first, second] = [await claim(only), await claim(only)];
    await settle(only, first && { claim: first });
    expect(await claim(only)).toMatchObject({ verdict: 'claimed', attempts: 3 });
    await settle(only, second && { claim: second });
    expect(await claim(only)).toMatchObject({ verdict: 'claimed', attempts: 4 });
  });

  test('a late result of an older change does not undo a newer one', async () => {
    const [older, newer] = [await change(1), await change(2)];
    await claim(older);
    await sql`update account set claimed_until = now() - interval '1 second'`.execute(database.db);
    await claim(newer);
    await settle(newer);
    await settle(older);
    const account = await database.db
      .selectFrom('account')
      .select('applied_seq')
      .executeTakeFirst();
    expect(account?.applied_seq).toBe(2);
  });

  test(keeps('an account that was unlinked during the change is not written', 32), async () => {
    const first = await change(1);
    await unlinkAccount(database.db, 'alice', { source: 'apps', name: 'a1' }, 'test', exactNaming);
    expect(await claim(first)).toMatchObject({ verdict: 'unlinked' });
  });

  test('attempts that are claimed at the same time are all counted, and only the first is not in doubt', async () => {
    const first = await change(1);
    const claims = await Promise.all([claim(first), claim(first), claim(first)]);
    expect(claims.map((claimed) => claimed?.attempts).sort()).toEqual([1, 2, 3]);
    expect(claims.filter((claimed) => claimed?.inDoubt === false)).toHaveLength(1);
  });

  test('a settled outcome stays as it is', async () => {
    const first = await change(1);
    await claim(first);
    await settle(first);
    await settle(first, { state: 'rejected', reason: 'policy' });
    const outcome = await database.db.selectFrom('outcome').select('state').executeTakeFirst();
    expect(outcome?.state).toBe('applied');
  });
});
