import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, register } from 'prom-client';
import { log } from './log';

export interface OpsServer {
  /** host:port that it listens on. */
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

interface Ops {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Returns what is missing, a word or two each; an empty list when the process can work. */
  readonly ready: () => Promise<readonly string[]>;
  /** Called before each scrape. A scrape is answered also when it fails. */
  readonly beforeScrape?: () => Promise<void>;
}

/**
 * Serves `/livez`, `/readyz` and `/metrics` of a process on an address of their own, never on the public one. It asks
 * for no key, so by default it is reached from this machine only.
 */
export async function startOps({ host, port, ready, beforeScrape }: Ops): Promise<OpsServer> {
  collectDefaultMetrics();
  for (const name of MISNAMED) register.removeSingleMetric(name);
  const answers: Record<string, () => Promise<[status: number, type: string, body: string]>> = {
    '/livez': async () => [200, 'text/plain', 'alive\n'],
    '/readyz': async () => {
      const missing = await ready();
      return missing.length === 0
        ? [200, 'text/plain', 'ready\n']
        : [503, 'text/plain', `${missing.map((what) => `missing: ${what}`).join('\n')}\n`];
    },
    '/metrics': async () => {
      await beforeScrape?.().catch((error) =>
        log.debug('the configuration could not be read for a scrape', { error }),
      );
      return [200, register.contentType, await register.metrics()];
    },
  };
  const server = http.createServer(async (request, response) => {
    const answer = answers[(request.url ?? '').replace(/\?.*/, '')];
    if (answer === undefined) return void response.writeHead(404).end();
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return void response.writeHead(405, { allow: 'GET, HEAD' }).end();
    try {
      const [status, type, body] = await answer();
      const length = Buffer.byteLength(body);
      response.writeHead(status, { 'content-type': type, 'content-length': length });
      // Node leaves the body out of an answer to HEAD.
      response.end(body);
    } catch (error) {
      log.error('a request for health or metrics failed and was answered with 500', { error });
      response.writeHead(500).end();
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { address, family, port: bound } = server.address() as AddressInfo;
  return {
    address: `${family === 'IPv6' ? `[${address}]` : address}:${bound}`,
    port: bound,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Gauges of prom-client with the suffix of counters. The series by type have the same numbers. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];
