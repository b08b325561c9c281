import net, { type Socket } from 'node:net';
import { BerReader, ExtendedRequest, ProtocolOperation } from 'ldapts';
import { NotSent } from './failures';

/** Vendor codes of our own. */
export const START_TLS_REFUSED = 'start_tls_refused';
export const START_TLS_UNCLEAR = 'start_tls_unclear';

const OID = '1.3.6.1.4.1.1466.20037';

/** The largest response that is read. A server answers with a code and a short text. */
const MAX_BYTES = 4096;

/**
 * Connects and asks the server to begin TLS (RFC 4511 §4.14). Nothing else is sent over the connection before TLS, and any
 * other answer than the success of this request ends it (decision 0007).
 * @returns the connection, on which the TLS handshake comes next
 * @throws NotSent
 */
export function socketForTls(host: string, port: number, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port });
    let received = Buffer.alloc(0);
    const fail = (code: string | null) => {
      clearTimeout(timer);
      socket.destroy();
      reject(new NotSent('unreachable', code));
    };
    const timer = setTimeout(() => fail('timeout'), timeoutMs);
    // This listener stays, because no other one handles an error before the handshake begins.
    socket.on('error', ({ code }: NodeJS.ErrnoException) => fail(code ?? null));
    socket.once('close', () => fail('ECONNRESET'));
    socket.once('connect', () =>
      socket.write(new ExtendedRequest({ messageId: MESSAGE_ID, oid: OID }).write()),
    );
    const read = (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      const code = received.length > MAX_BYTES ? null : resultOf(received);
      if (code === 'incomplete') return;
      if (code !== 0) return fail(code === null ? START_TLS_UNCLEAR : START_TLS_REFUSED);
      clearTimeout(timer);
      socket.pause();
      socket.off('data', read);
      resolve(socket);
    };
    socket.on('data', read);
  });
}

const MESSAGE_ID = 1;
const SEQUENCE = 0x30;

/**
 * The result code of the response to the only request. Null for anything else, such as bytes that follow the response:
 * an attacker may have put them there, to be read as if they had come over TLS.
 */
function resultOf(received: Buffer): number | 'incomplete' | null {
  const reader = new BerReader(received);
  try {
    const tag = reader.readSequence(SEQUENCE);
    if (tag === null || reader.remain < reader.length) return 'incomplete';
    if (reader.remain > reader.length || reader.readInt() !== MESSAGE_ID) return null;
    if (reader.readSequence(ProtocolOperation.LDAP_RES_EXTENSION) === null) return null;
    return reader.readEnumeration();
  } catch {
    return null;
  }
}
