import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { certificatesIn } from '../../local/certificates';
import { type EventReceiver, startEventReceiver } from '../support/event-receiver';
import { describeWith } from '../support/servers';
import { startTestStack, type TestStack } from '../support/stack';
import { until } from '../support/until';

describeWith(['postgres', 'temporal'], 'a crash of the worker', () => {
  let dir: string;
  let receiver: EventReceiver;
  let stack: TestStack;

  beforeAll(async () => {
    dir = mkdtempSync(path.join(os.tmpdir(), 'notices-'));
    const certificates = await certificatesIn(dir);
    receiver = await startEventReceiver(certificates);
    writeFileSync(path.join(dir, 'hook'), `whsec_${Buffer.alloc(32, 7).toString('base64')}`);
    stack = await startTestStack(dir);
    const settings = {
      ...{ url: receiver.url, secret: '${file:hook}', ca: certificates.caFile },
      ...{ allowPrivateAddresses: ['127.0.0.1'], timeoutMs: 8_000 },
    };
    const document = {
      version: 1,
      notices: { hook: { kind: 'webhook', for: ['operators'], settings } },
    };
    const { status, body } = await stack.call('POST', 'configuration/apply', {
      document,
      version: 0,
    });
    if (status !== 200) throw new Error(JSON.stringify(body));
  }, 120_000);
  afterAll(async () => {
    await stack.stop();
    await receiver.stop();
    rmSync(dir, { recursive: true });
  });

  const write = async () =>
    String((await stack.call('POST', 'notices/test', { channel: 'hook' })).body.id);
  const read = async (id: string) => (await stack.call('GET', `notices/${id}`)).body;
  const sent = (id: string) => until(async () => (await read(id)).state === 'sent');

  test('a notice that is written while the worker is dead is delivered once it is back', async () => {
    await stack.worker.kill();
    const id = await write();
    await stack.worker.back();
    await sent(id);
    expect(await read(id)).toMatchObject({ deliveries: [{ state: 'delivered' }] });
  }, 120_000);

  test('kill -9 of the worker while a receiver has the notice delivers it again under the same id', async () => {
    const before = receiver.events.length;
    receiver.answer(0);
    const id = await write();
    await until(() => receiver.events.length > before);
    await stack.worker.kill();
    await stack.worker.back();
    await sent(id);
    const ids = receiver.events.slice(before).map(({ headers }) => headers['webhook-id']);
    expect(ids.length).toBeGreaterThan(1);
    expect(new Set(ids).size).toBe(1);
    expect(await read(id)).toMatchObject({ deliveries: [{ state: 'delivered', id: ids[0] }] });
  }, 240_000);
});
