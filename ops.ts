import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, register } from 'prom-client';
import { log } from './log';

export interface OpsServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves `/livez`, `/readyz` and `/metrics` of a process, on loopback and on a port of their own, never on the public
 * port.
 * @param port 0 for any free port
 * @param ready returns what is missing, a word or two each; an empty list when the process can work
 */
export async function startOps(
  port: number,
  ready: () => Promise<readonly string[]>,
): Promise<OpsServer> {
  collectDefaultMetrics();
  const answers: Record<string, () => Promise<[status: number, type: string, body: string]>> = {
    '/livez': async () => [200, 'text/plain', 'alive\n'],
    '/readyz': async () => {
      const missing = await ready();
      return missing.length === 0
        ? [200, 'text/plain', 'ready\n']
        : [503, 'text/plain', `${missing.map((what) => `missing: ${what}`).join('\n')}\n`];
    },
    '/metrics': async () => [200, register.contentType, await register.metrics()],
  };
  const server = http.createServer(async (request, response) => {
    const answer = answers[request.url ?? ''];
    if (answer === undefined || request.method !== 'GET') {
      response.writeHead(404).end();
      return;
    }
    try {
      const [status, type, body] = await answer();
      response.writeHead(status, { 'content-type': type }).end(body);
    } catch (error) {
      log.error('a request for health or metrics failed and was answered with 500', { error });
      response.writeHead(500).end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
