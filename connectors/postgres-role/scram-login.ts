import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Secret } from '../../model/passwords/secret';
import { hmac, scramKeys } from '../scram';
import { before } from '../sql/sessions';

/** The wire connection of `pg` (lib/connection.js). The published types contain only `stream`. */
export interface Wire extends EventEmitter {
  readonly stream: Duplex;
  connect(port: number, host: string): void;
  requestSsl(): void;
  startup(parameters: Readonly<Record<string, string>>): void;
  sendSASLInitialResponseMessage(mechanism: string, response: string): void;
  sendSCRAMClientFinalMessage(response: string): void;
  end(): void;
}

export interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

const MECHANISM = 'SCRAM-SHA-256';
/** Maximum number of iterations that a server may request, as in `pg`. */
const MOST_ITERATIONS = 100_000;

/**
 * Verifies a password by SCRAM (RFC 5802), up to the signature by which the server shows that it holds the matching
 * verifier. Later errors do not matter: a role that may not log in or not enter the database still has the password. The
 * login of `pg` itself is not used, because it would send the password in clear if the server asks for that, and needs it
 * as a string.
 * @throws the error of the server or the network if the password is not verified
 */
export async function scramLogin(
  wire: Wire,
  login: Login,
  password: Secret,
  signal: AbortSignal,
): Promise<void> {
  const verified = exchange(wire, login, password);
  const cut = () => wire.stream.destroy();
  signal.addEventListener('abort', cut, { once: true });
  // The server then opens a session. Closing earlier would leave a broken connection in its log.
  wire.once('readyForQuery', () => wire.end());
  try {
    wire.connect(login.port, login.host);
    await before(signal, verified);
  } catch (error) {
    cut();
    throw error;
  }
}

const REFUSED_REQUESTS = [
  'authenticationOk',
  'authenticationCleartextPassword',
  'authenticationMD5Password',
];

function exchange(wire: Wire, { user, database }: Login, password: Secret): Promise<void> {
  const first = `n=,r=${randomBytes(18).toString('base64')}`;
  let expected: Buffer | null = null;
  return new Promise((resolve, reject) => {
    const refuse = () => reject(new NoScram());
    wire.on('error', reject);
    wire.on('errorMessage', reject);
    wire.once('end', () => reject(new Error('Connection terminated unexpectedly')));
    wire.once('connect', () => wire.requestSsl());
    wire.once('sslconnect', () => wire.startup({ user, database, application_name: 'lockstep' }));
    for (const request of REFUSED_REQUESTS) wire.once(request, refuse);
    wire.once('authenticationSASL', ({ mechanisms }: { mechanisms: readonly string[] }) => {
      if (mechanisms.includes(MECHANISM))
        wire.sendSASLInitialResponseMessage(MECHANISM, `n,,${first}`);
      else refuse();
    });
    wire.once('authenticationSASLContinue', ({ data }: { data: string }) => {
      answer(first, data, password).then(({ response, signature }) => {
        expected = signature;
        wire.sendSCRAMClientFinalMessage(response);
      }, reject);
    });
    wire.once('authenticationSASLFinal', ({ data }: { data: string }) => {
      const shown = Buffer.from(fieldsOf(data).v ?? '', 'base64');
      if (expected?.length === shown.length && timingSafeEqual(shown, expected)) resolve();
      else refuse();
    });
  });
}

/** The server requests another kind of login, or does not follow the standard. */
export class NoScram extends Error {}

async function answer(first: string, challenge: string, password: Secret) {
  const { r: nonce = '', s: salt = '', i: iterations = '' } = fieldsOf(challenge);
  const ours = fieldsOf(first).r ?? '';
  const count = Number(iterations);
  const sane = nonce.startsWith(ours) && nonce.length > ours.length && count > 0;
  if (!sane || count > MOST_ITERATIONS) throw new NoScram();
  const keys = await scramKeys(password, Buffer.from(salt, 'base64'), count);
  // "biws" is the header "n,,": no channel binding.
  const bare = `c=biws,r=${nonce}`;
  const message = `${first},${challenge},${bare}`;
  const mask = hmac(keys.storedKey, message);
  const proof = keys.clientKey.map((byte, at) => byte ^ (mask[at] ?? 0));
  keys.clientKey.fill(0);
  return {
    response: `${bare},p=${Buffer.from(proof).toString('base64')}`,
    signature: hmac(keys.serverKey, message),
  };
}

/** Parses the fields of a SCRAM message such as `r=…,s=…,i=…`. */
const fieldsOf = (message: string): Readonly<Record<string, string>> =>
  Object.fromEntries(message.split(',').map((field) => [field.slice(0, 1), field.slice(2)]));
