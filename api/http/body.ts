import type { IncomingMessage } from 'node:http';
import { zeroableBytes } from '../../model/passwords/zeroable';
import { HttpProblem } from './problem';

/**
 * The whole body as bytes, in memory that nothing else uses. Whoever calls it zeroes what it returns; every chunk
 * that it came in is zeroed here, also when the body is refused.
 */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const { headers } = request;
  const length = Number(headers['content-length'] ?? 0);
  if (length === 0 && headers['transfer-encoding'] === undefined) return Buffer.alloc(0);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity' || !JSON_TYPE.test(headers['content-type'] ?? ''))
    throw new HttpProblem('body_encoding');
  if (length > limitBytes) throw tooLarge();
  return collect(request, limitBytes);
}

/** SCIM (RFC 7644 §8.1) has a name of its own for it. */
const JSON_TYPE = /^application\/(?:scim\+)?json *(?:; *charset=(?:utf-8|"utf-8") *)?$/i;

/** The rest of the body stays unread: the connection cannot carry another request. */
const tooLarge = () => new HttpProblem('body_too_large', {}, { connection: 'close' });

function collect(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const forget = () => {
    for (const chunk of chunks) chunk.fill(0);
  };
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= limitBytes) return;
      forget();
      chunks.length = 0;
      reject(tooLarge());
    });
    request.once('end', () => {
      if (size > limitBytes) return;
      const body = zeroableBytes(size);
      chunks.reduce((at, chunk) => at + chunk.copy(body, at), 0);
      forget();
      resolve(body);
    });
    request.once('close', () => {
      forget();
      // Without an end: the client is gone, and nobody hears this.
      reject(new HttpProblem('body_not_json', { at: size }));
    });
  });
}

/** Reads on and forgets: what of a refused request is still on its way may hold a password. */
export function discardBody(request: IncomingMessage): void {
  if (!request.readableEnded) request.on('data', (chunk: Buffer) => chunk.fill(0));
}
