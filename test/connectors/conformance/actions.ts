import type { Connector } from '../../../connectors/contract';
import { connectorKinds } from '../../../connectors/registry';
import { type AccountAction, accountActions } from '../../../model/people/account-actions';
import { type Bench, freshPassword, needed, verify, write } from './bench';
import { changedParts } from './entries';
import type { TestAccount } from './subject';

/** The help desk can do what the kind declares, to the account that the link means and to nothing else. */
export function actionPromises({ subject, promise, direct }: Bench): void {
  const { acts = {} } = subject;
  let connector: Connector;
  beforeAll(async () => {
    connector = await direct();
  });
  const declared = () =>
    connectorKinds.get(subject.kind)?.traitsOf(subject.settings(subject.server)).actions ?? [];
  const account = subject.actable ?? subject.account;
  const act = async (action: AccountAction, { ref }: Pick<TestAccount, 'ref'>, by = connector) =>
    needed(by.act, 'act')({ account: ref, action });
  const stateOf = (one: TestAccount) => connector.state({ account: one.ref });
  /** Creates an account to which the action has something to do. */
  const prepared = async (action: AccountAction): Promise<TestAccount> => {
    const one = await account();
    if (action === 'unlock') await needed(subject.lock, 'lock')(one);
    return one;
  };

  promise(
    'the connector can do what its kind declares, and answers not_supported for the rest',
    async () => {
      expect(declared().length > 0).toBe(connector.act !== undefined);
      expect(declared()).toEqual(expect.arrayContaining(Object.keys(acts)));
      for (const action of accountActions.filter((one) => !(one in acts)))
        expect((await connector.act?.({ account: (await account()).ref, action })) ?? null).toEqual(
          connector.act === undefined
            ? null
            : { result: 'failed', reason: 'not_supported', vendorCode: null },
        );
    },
  );

  if (acts.unlock !== undefined) {
    promise('an unlock ends a lock and changes nothing else', async () => {
      const one = await prepared('unlock');
      expect(await stateOf(one)).toMatchObject({ locked: true });
      const before = await subject.entry(one);
      expect(await act('unlock', one)).toEqual({ result: 'done', account: one.ref });
      expect(await stateOf(one)).toMatchObject({ locked: false });
      expect(await changedParts(subject, one, before, acts.unlock)).toEqual([]);
      expect(await subject.logsIn(one, one.password)).toBe(true);
    });

    promise('an unlock of an account that is not locked changes nothing', async () => {
      const one = await account();
      const before = await subject.entry(one);
      expect(await act('unlock', one)).toEqual({ result: 'already', account: one.ref });
      expect(await subject.entry(one)).toEqual(before);
    });

    promise('an unlock leaves a disabled account disabled', async () => {
      const one = await account();
      await needed(subject.disable, 'disable')(one);
      const before = await subject.entry(one);
      expect(await act('unlock', one)).toMatchObject({ reason: 'account_disabled' });
      expect(await subject.entry(one)).toEqual(before);
    });
  }

  const { 'force-change': forced } = acts;
  if (forced !== undefined) {
    const mustChange = async (one: TestAccount) =>
      (await subject.mustChange?.(one)) ??
      expect.objectContaining({ mustChange: true }).asymmetricMatch(await stateOf(one));

    promise('a forced change keeps the password and changes nothing else', async () => {
      const one = await account();
      const before = await subject.entry(one);
      expect(await act('force-change', one)).toEqual({ result: 'done', account: one.ref });
      expect(await mustChange(one)).toBe(true);
      expect(await changedParts(subject, one, before, forced)).toEqual([]);
      expect(await verify(connector, one, one.password)).not.toMatchObject({ result: 'differs' });
    });

    promise('a write after a forced change keeps it in force', async () => {
      const one = await account();
      expect(await act('force-change', one)).toMatchObject({ result: 'done' });
      expect(await write(connector, one, freshPassword())).toMatchObject({ result: 'applied' });
      expect(await mustChange(one)).toBe(true);
    });
  }

  for (const action of Object.keys(acts) as AccountAction[]) {
    promise(`${action} never reaches another account that has got the name`, async () => {
      const one = await account();
      await needed(subject.remove, 'remove')(one);
      const heir = await needed(subject.create, 'create')(one.ref.name);
      const before = await subject.entry(heir);
      expect(await act(action, one)).toMatchObject({ reason: 'account_replaced' });
      expect(await act(action, { ref: subject.absent('nobody') })).toMatchObject({
        reason: 'no_account',
      });
      expect(await subject.entry(heir)).toEqual(before);
    });

    const { ownAccount } = subject;
    if (ownAccount !== undefined)
      promise(`${action} never touches the account with which Lockstep signs in`, async () => {
        const own = await ownAccount();
        const seeing = await direct(own.settings);
        expect(await act(action, own.account, seeing)).toMatchObject({ reason: 'service_account' });
      });

    promise(`${action} by a service account without rights fails with no_rights`, async () => {
      const one = await prepared(action);
      const before = await subject.entry(one);
      const powerless = await direct(subject.wrong.rights);
      expect(await act(action, one, powerless)).toMatchObject({ reason: 'no_rights' });
      expect(await subject.entry(one)).toEqual(before);
    });
  }
}
