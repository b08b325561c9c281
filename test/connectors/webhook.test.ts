import { type Receiver, startReceiver } from '../support/receiver';
import { conformance } from './conformance';
import { webhookSubject } from './webhook-subject';

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.stop());

const sealedTo = (key: 'ec' | 'x25519' | 'rsa') =>
  webhookSubject(
    () => receiver,
    `sealed to a key (${key})`,
    () => ({ recipientKey: receiver.keyFiles[key] }),
  );
const clear = webhookSubject(
  () => receiver,
  'clear inside TLS',
  () => ({ clearInsideTls: true }),
);

conformance(sealedTo('x25519'));
conformance(clear);
