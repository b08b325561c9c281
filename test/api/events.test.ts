import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { streamChange } from '../../api/changes/events';
import { createHub } from '../../api/http/hub';
import type { Change } from '../../model/api/changes';
import type { ChangeProgress } from '../../store/changes/progress';
import { until } from '../support/until';

const CHANGES = 200;

test('a client that does not read gets the last of many states, never a queue of them', async () => {
  let state = 0;
  let reads = 0;
  const hub = createHub<ChangeProgress>(async (ids) => {
    return new Map(ids.map((id) => [id, { ended: false, authApplied: false }]));
  });
  const read = async () => {
    reads++;
    const endedAt = state === CHANGES ? new Date() : null;
    // Larger than what the sockets on the way take in.
    return { id: 'a', seq: state, endedAt, says: ' '.repeat(4_000_000) } as unknown as Change;
  };
  const never = new AbortController().signal;
  const server = http.createServer(async (_request, response) => {
    await streamChange({ changes: hub, stopping: never }, 'a', read, never, response);
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const request = http.get({ port: (server.address() as AddressInfo).port, agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  await until(() => reads > 0);
  while (state < CHANGES) {
    state++;
    hub.notify('a');
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(reads).toBeLessThan(5);

  let text = '';
  for await (const part of response) text = (text + part).replaceAll(/ +/g, ' ');
  const seen = [...text.matchAll(/"seq":(\d+)/g)].map(([, seq]) => Number(seq));
  expect(seen.at(-1)).toBe(CHANGES);
  expect(seen.length).toBeLessThan(5);
  expect(text).toContain('event: end');
  hub.close();
  server.close();
});
