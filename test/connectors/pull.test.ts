import type { Mailbox } from '../../connectors/mailbox';
import { openPull } from '../../connectors/pull/pull';
import { pullSettings } from '../../model/adapters/settings';
import { Secret } from '../../model/passwords/secret';
import { describeWith } from '../support/servers';
import { conformance } from './conformance';
import { type PulledSystem, pullSubject, startPulledSystem } from './pull-subject';

describeWith(['postgres'], 'the connector pull', () => {
  let system: PulledSystem;
  beforeAll(async () => {
    system = await startPulledSystem();
  });
  afterAll(() => system.stop());
  conformance(pullSubject(() => system));
});

test('a code that repeats the old password is dropped', async () => {
  const mailbox: Mailbox = {
    ...{ acknowledgedWithinMs: 0, adapter: async () => null, withdraw: async () => false },
    put: async () => ({
      ...{ status: 'settled', result: 'rejected', reason: 'policy', vendorCode: 'code-OLDPASS1' },
      retryAfterMs: null,
    }),
    waitForResult: async () => {},
  };
  const connector = openPull(pullSettings.parse({}), {
    resolve: () => Secret.fromText(''),
    mailbox,
  });
  const answer = await connector.setPassword({
    ...{ account: { name: 'ALICE', nativeId: null }, form: 'plaintext', salt: Buffer.alloc(16) },
    ...{ password: Secret.fromText('NEWPASS2'), oldPassword: Secret.fromText('OLDPASS1') },
    of: { changeId: 'chg', label: 'legacy', accountId: 'acc', seq: 1 },
  });
  expect(answer).toMatchObject({ result: 'rejected', reason: 'policy', vendorCode: null });
});
