import { createHash, createHmac, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { NoScram, scramLogin, type Wire } from '../../connectors/postgres-role/scram-login';
import { scramKeys } from '../../connectors/scram';
import { Secret } from '../../model/passwords/secret';

/** A server in one process with us, which can be made to lie as no PostgreSQL does. */
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
  /** Sent in place of the offer of SCRAM. */
  readonly instead?: string;
  readonly mechanisms?: readonly string[];
  readonly nonce?: (ours: string) => string;
  readonly iterations?: number;
  readonly signature?: string;
}

const login = { host: 'localhost', port: 5432, user: 'ann', database: 'postgres' };
const attempt = (lies: Lies, password: string) =>
  scramLogin(lyingServer(lies), login, Secret.fromText(password), AbortSignal.timeout(5000));

test('a server that knows the password is believed', async () => {
  await expect(attempt({}, 'the password')).resolves.toBeUndefined();
  await expect(attempt({}, 'another')).rejects.toThrow('28P01');
});

test.each<[string, Lies]>([
  ['says yes without knowing the password', { signature: randomBytes(32).toString('base64') }],
  ['says yes with an empty proof', { signature: '' }],
  ['repeats our nonce and adds nothing', { nonce: (ours) => ours }],
  ['answers another nonce than ours', { nonce: () => randomBytes(24).toString('base64') }],
  ['wants more work than a login may cost', { iterations: 10_000_000 }],
  ['wants no work at all', { iterations: 0 }],
  ['says yes before it asked', { instead: 'authenticationSASLFinal' }],
  ['lets us in at once', { instead: 'authenticationOk' }],
  ['wants the password in clear', { instead: 'authenticationCleartextPassword' }],
  ['wants it by MD5', { instead: 'authenticationMD5Password' }],
  ['offers another mechanism only', { mechanisms: ['SCRAM-SHA-256-PLUS'] }],
])('a server that %s proves nothing', async (_, lies) => {
  await expect(attempt(lies, 'the password')).rejects.toThrow(NoScram);
});
