import { readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificates } from '../../local/certificates';

export interface ReceivedEvent {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver of webhooks and security events on loopback. */
export interface EventReceiver {
  readonly url: string;
  readonly events: readonly ReceivedEvent[];
  /** Answers the next requests with these statuses, one for each; 0 never answers. Later ones are answered with 202. */
  answer(...answers: readonly Answer[]): void;
  stop(): Promise<void>;
}

type Answer = number | { readonly status: number; readonly headers: Record<string, string> };

export async function startEventReceiver(certificates: Certificates): Promise<EventReceiver> {
  const events: ReceivedEvent[] = [];
  const answers: Answer[] = [];
  const server = https.createServer(
    { key: readFileSync(certificates.keyFile), cert: readFileSync(certificates.certFile) },
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        events.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
        const next = answers.shift() ?? 202;
        const { status, headers } = typeof next === 'number' ? { status: next, headers: {} } : next;
        if (status !== 0) response.writeHead(status, headers).end();
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/events`,
    events,
    answer: (...next) => answers.push(...next),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
