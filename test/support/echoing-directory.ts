import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import { BerReader, BerWriter } from 'ldapts';
import { certificatesIn } from '../../local/certificates';

/** A directory that refuses every new password and repeats the password in its error message. */
export interface EchoingDirectory {
  readonly url: string;
  readonly caFile: string;
  /** Number of error messages with a password so far. */
  echoed(): number;
  /** Sets the LDAP result code with which it refuses from now on. */
  refuseWith(code: number): void;
  stop(): Promise<void>;
}

const BUSY = 51;

/**
 * Starts a proxy in front of a real directory, which answers all other requests.
 * @param dir folder for its certificate
 */
export async function startEchoingDirectory(
  real: { readonly port: number; readonly caFile: string },
  dir: string,
): Promise<EchoingDirectory> {
  const { keyFile, certFile, caFile } = await certificatesIn(dir);
  const sockets = new Set<TLSSocket>();
  let code = BUSY;
  let echoed = 0;
  const files = { key: readFileSync(keyFile), cert: readFileSync(certFile) };
  const listener = tls.createServer(files, (client) => {
    const ca = readFileSync(real.caFile);
    const behind = tls.connect({ host: '127.0.0.1', port: real.port, ca });
    for (const [socket, other] of [
      [client, behind],
      [behind, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => other.destroy());
    }
    behind.pipe(client);
    // The LDAP client of Lockstep sends one request at a time, each in one record.
    client.on('data', (request: Buffer) => {
      const change = newPasswordIn(request);
      if (change === null) return behind.write(request);
      echoed++;
      return client.write(refusal(change, code));
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    url: `ldaps://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    caFile,
    echoed: () => echoed,
    refuseWith(wanted) {
      code = wanted;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}

interface PasswordRequest {
  readonly messageId: number;
  readonly password: Buffer;
}

const EXTENDED_REQUEST = 0x77;
const REQUEST_NAME = 0x80;
const REQUEST_VALUE = 0x81;
/** Object identifier of the password modify operation (RFC 3062). */
const PASSWORD_MODIFY = '1.3.6.1.4.1.4203.1.11.1';
const USER_IDENTITY = 0x80;
const NEW_PASSWORD = 0x82;

/** The new password in a request; null for any other request. */
function newPasswordIn(request: Buffer): PasswordRequest | null {
  const message = new BerReader(request);
  message.readSequence();
  const messageId = message.readInt() ?? 0;
  if (message.peek() !== EXTENDED_REQUEST) return null;
  message.readSequence(EXTENDED_REQUEST);
  if (message.readString(REQUEST_NAME) !== PASSWORD_MODIFY) return null;
  const value = new BerReader(message.readString(REQUEST_VALUE, true) ?? Buffer.alloc(0));
  value.readSequence();
  value.readString(USER_IDENTITY, true);
  return { messageId, password: value.readString(NEW_PASSWORD, true) ?? Buffer.alloc(0) };
}

const EXTENDED_RESPONSE = 0x78;
const OCTET_STRING = 0x04;

/** Encodes an LDAP result (RFC 4511 §4.1.9): the result code, the matched DN and the message. */
function refusal({ messageId, password }: PasswordRequest, code: number): Buffer {
  const text = password.toString();
  const words = `${text} is no password: ${encodeURIComponent(text)}, ${password.toString('base64')}`;
  const answer = new BerWriter();
  answer.startSequence();
  answer.writeInt(messageId);
  answer.startSequence(EXTENDED_RESPONSE);
  answer.writeEnumeration(code);
  answer.writeBuffer(password, OCTET_STRING);
  answer.writeString(words);
  answer.endSequence();
  answer.endSequence();
  return answer.buffer;
}
