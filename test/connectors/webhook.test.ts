import { type Receiver, startReceiver } from '../support/receiver';
import { conformance } from './conformance';
import { webhookSubject } from './webhook-subject';

const sealed = receiverFor('lasting');
const clear = receiverFor('reusable');

conformance(
  webhookSubject(
    sealed,
    'sealed to a key, with lasting ids',
    () => ({ recipientKey: sealed().keyFiles.x25519, ids: 'lasting' }),
    true,
  ),
);
conformance(
  webhookSubject(
    clear,
    'clear inside TLS, with reusable ids',
    () => ({ clearInsideTls: true }),
    false,
  ),
);

function receiverFor(ids: 'lasting' | 'reusable'): () => Receiver {
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await startReceiver(ids);
  });
  afterAll(() => receiver.stop());
  return () => receiver;
}
