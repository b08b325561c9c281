import { createHash, createHmac, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { NoScram, scramLogin, type Wire } from '../../connectors/postgres-role/scram-login';
import { scramKeys } from '../../connectors/scram';
import { Secret } from '../../model/passwords/secret';

/** A server in this process that can misbehave in ways in which PostgreSQL does not. */
function lyingServer(lies: Lies): Wire {
  const salt = randomBytes(16);
  let [first, challenge] = ['', ''];
  const events = new EventEmitter();
  return Object.assign(events, {
    stream: new PassThrough(),
    connect: () => events.emit('connect'),
    requestSsl: () => events.emit('sslconnect'),
    startup() {
      const mechanisms = lies.mechanisms ?? ['SCRAM-SHA-256'];
      events.emit(lies.instead ?? 'authenticationSASL', { mechanisms, data: 'v=' });
    },
    sendSASLInitialResponseMessage(_mechanism: string, response: string) {
      first = response.slice('n,,'.length);
      const nonce = first.slice('n=,r='.length);
      const given = lies.nonce?.(nonce) ?? `${nonce}and-ours`;
      challenge = `r=${given},s=${salt.toString('base64')},i=${lies.iterations ?? 4096}`;
      events.emit('authenticationSASLContinue', { data: challenge });
    },
    async sendSCRAMClientFinalMessage(response: string) {
      const keys = await scramKeys(Secret.fromText('the password'), salt, 4096);
      const [bare = '', proof = ''] = response.split(',p=');
      const sign = (key: Buffer) =>
        createHmac('sha256', key).update([first, challenge, bare].join(',')).digest();
      const mask = sign(keys.storedKey);
      const clientKey = Buffer.from(proof, 'base64').map((byte, at) => byte ^ (mask[at] ?? 0));
      const right = createHash('sha256').update(clientKey).digest().equals(keys.storedKey);
      const signature = lies.signature ?? sign(keys.serverKey).toString('base64');
      if (right || lies.signature !== undefined)
        events.emit('authenticationSASLFinal', { data: `v=${signature}` });
      else events.emit('errorMessage', new Error('28P01'));
    },
    end: () => undefined,
  });
}

interface Lies {
  /** The message to send instead of the offer of SCRAM. */
  readonly instead?: string;
  readonly mechanisms?: readonly string[];
  readonly nonce?: (ours: string) => string;
  readonly iterations?: number;
  readonly signature?: string;
}

const login = { host: 'localhost', port: 5432, user: 'ann', database: 'postgres' };
const attempt = (lies: Lies, password: string) =>
  scramLogin(lyingServer(lies), login, Secret.fromText(password), AbortSignal.timeout(5000));

test('a login succeeds only with the password that the server knows', async () => {
  await expect(attempt({}, 'the password')).resolves.toBeUndefined();
  await expect(attempt({}, 'another')).rejects.toThrow('28P01');
});

test.each<[string, Lies]>([
  ['accepts without knowing the password', { signature: randomBytes(32).toString('base64') }],
  ['accepts with an empty signature', { signature: '' }],
  ['repeats our nonce and adds nothing', { nonce: (ours) => ours }],
  ['answers another nonce than ours', { nonce: () => randomBytes(24).toString('base64') }],
  ['requests more iterations than a login may cost', { iterations: 10_000_000 }],
  ['requests no iterations', { iterations: 0 }],
  ['accepts before the exchange', { instead: 'authenticationSASLFinal' }],
  ['accepts without a password', { instead: 'authenticationOk' }],
  ['asks for the password in clear', { instead: 'authenticationCleartextPassword' }],
  ['asks for the password by MD5', { instead: 'authenticationMD5Password' }],
  ['offers another mechanism only', { mechanisms: ['SCRAM-SHA-256-PLUS'] }],
])('a login fails at a server that %s', async (_, lies) => {
  await expect(attempt(lies, 'the password')).rejects.toThrow(NoScram);
});
