import http from 'node:http';
import https from 'node:https';
import { z } from 'zod';
import { type SignedBatch, signBatch } from '../sealing/batch';
import { timeLimit } from '../time-limit';
import { parseJson } from './parse-json';
import type { RelaySettings } from './settings';

const answerSchema = z.object({
  result: z.enum(['taken', 'gap', 'repeated']),
  cursor: z.object({ segment: z.string(), position: z.int() }).nullable(),
  request: z.int(),
  key: z.unknown().nullable(),
  startpoint: z
    .object({
      number: z.int(),
      startpoint: z.discriminatedUnion('from', [
        z.object({ from: z.enum(['begin', 'end']) }),
        z.object({ from: z.literal('cursor'), cursor: z.string() }),
        z.object({ from: z.literal('time'), at: z.iso.datetime().transform((at) => new Date(at)) }),
      ]),
    })
    .nullable(),
});

/** The response of `POST /v1/relays/batch`. */
export type BatchAnswer = z.infer<typeof answerSchema>;

/** The api rejected a batch, or sent a response that is not one of Lockstep's. */
export class BatchRejected extends Error {
  /** The error code of the api, `http_<status>` if it gave none, or a code of the relay such as `not_lockstep`. */
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** The connection of a relay to the api. */
export interface ApiLink {
  /** Signs a batch and sends it. @throws BatchRejected if the api rejects it, or the network error of the connection */
  send(batch: SignedBatch): Promise<BatchAnswer>;
  close(): void;
}

const TIMEOUT_MS = 30_000;
const MAX_RESPONSE_CHARS = 64 * 1024;

/**
 * Opens the link to the api: one kept-alive connection to one address, without redirects or proxies. It uses TLS unless the
 * api is on this machine.
 */
export function openApiLink({ url, apiKey, signingKey, tls }: RelaySettings): ApiLink {
  const client = url.protocol === 'https:' ? https : http;
  const agent = new client.Agent({ keepAlive: true, maxSockets: 1, ...tls });
  const address = new URL(`${url.pathname.replace(/\/$/, '')}/v1/relays/batch`, url);
  return {
    async send(batch) {
      const body = Buffer.from(JSON.stringify({ batch: await signBatch(signingKey, batch) }));
      const { status, text } = await post(body);
      if (status !== 200) throw new BatchRejected(codeOf(text) ?? `http_${status}`);
      const parsed = answerSchema.safeParse(parseJson(text));
      if (!parsed.success) throw new BatchRejected('not_lockstep');
      return parsed.data;
    },
    close: () => agent.destroy(),
  };

  function post(body: Buffer): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${apiKey}`,
        'content-type': 'application/json',
        'content-length': body.length,
      };
      const signal = timeLimit(TIMEOUT_MS);
      const options = { method: 'POST', agent, headers, signal, minVersion: 'TLSv1.2' as const };
      const request = client.request(address, options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > MAX_RESPONSE_CHARS) response.destroy(new BatchRejected('not_lockstep'));
        });
        response.once('error', reject);
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      request.once('error', reject);
      request.end(body);
    });
  }
}

const problemSchema = z.object({ code: z.string().regex(/^[a-z_]{1,40}$/) });

const codeOf = (text: string): string | undefined =>
  problemSchema.safeParse(parseJson(text)).data?.code;
