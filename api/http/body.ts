import type { IncomingMessage } from 'node:http';
import { zeroableBytes } from '../../model/passwords/zeroable';
import { HttpProblem } from './problem';

/**
 * Reads the whole body into memory that is shared with nothing else. The caller zeroes the returned buffer. The chunks
 * in which the body arrived are zeroed here, even if the body is rejected.
 * @throws HttpProblem if the body is too large, encoded, not JSON by its content type, or cut off
 */
export async function readBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const { headers } = request;
  const length = Number(headers['content-length'] ?? 0);
  if (length === 0 && headers['transfer-encoding'] === undefined) return Buffer.alloc(0);
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity' || !isUtf8Json(headers['content-type'] ?? ''))
    throw new HttpProblem('body_encoding');
  return collectBody(request, limitBytes);
}

/** JSON, or the content type of SCIM (RFC 7644 §8.1). A parameter that is not known is ignored (RFC 6838 §4.3). */
function isUtf8Json(contentType: string): boolean {
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  if (!/^application\/(?:scim\+)?json$/.test(type.trim())) return false;
  return parameters.every((parameter) => {
    const [name = '', value = ''] = parameter.split('=').map((part) => part.trim());
    return name !== 'charset' || /^(?:utf-8|"utf-8")$/.test(value);
  });
}

/** Closes the connection, because the rest of the body stays unread and would be taken for the next request. */
const tooLarge = () => new HttpProblem('body_too_large', {}, { connection: 'close' });

/**
 * Collects the body, whatever its type. The caller zeroes the returned buffer.
 * @throws HttpProblem if the body is too large or cut off
 */
export function collectBody(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  const zeroChunks = () => {
    for (const chunk of chunks) chunk.fill(0);
  };
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= limitBytes) return;
      zeroChunks();
      chunks.length = 0;
      reject(tooLarge());
    });
    request.once('end', () => {
      if (size > limitBytes) return;
      const body = zeroableBytes(size);
      chunks.reduce((at, chunk) => at + chunk.copy(body, at), 0);
      zeroChunks();
      resolve(body);
    });
    request.once('close', () => {
      zeroChunks();
      // A close without an end means that the client has disconnected, so this answer reaches no one.
      reject(new HttpProblem('body_not_json', { at: size }));
    });
  });
}

/** Reads and zeroes the rest of a rejected request, which may contain a password. */
export function discardBody(request: IncomingMessage): void {
  if (!request.readableEnded) request.on('data', (chunk: Buffer) => chunk.fill(0));
}
