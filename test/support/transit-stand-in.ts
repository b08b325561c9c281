import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { certificatesIn } from '../../local/certificates';

/** A wrong answer of a key server. `hang` never answers, and `cut` ends the connection. */
export type Lie =
  | { readonly status: number; readonly body: string }
  | 'hang'
  | 'cut'
  | 'another key';

/** A server that answers as the transit engine of Vault does, or lies, for `npm test`. */
export interface TransitStandIn {
  readonly url: string;
  readonly key: string;
  readonly caFile: string;
  /** The tokens that requests brought. */
  readonly tokens: readonly string[];
  /** Answers every request with a lie from now on; null for the truth. */
  lie(lie: Lie | null): void;
  /** Accepts this token only. */
  accept(token: string): void;
  stop(): Promise<void>;
}

interface Fields {
  readonly plaintext?: string;
  readonly ciphertext?: string;
  readonly associated_data: string;
}

const KEY = 'lockstep';

/** @param dir the folder for its certificate */
export async function startTransitStandIn(dir: string, token: string): Promise<TransitStandIn> {
  const files = await certificatesIn(dir);
  const secret = randomBytes(32);
  const tokens: string[] = [];
  let accepted = token;
  let lie: Lie | null = null;
  const server = https.createServer(
    { key: readFileSync(files.keyFile), cert: readFileSync(files.certFile) },
    async (request, response) => {
      const fields: Fields = JSON.parse(await textOf(request));
      tokens.push(String(request.headers['x-vault-token']));
      const answer = (status: number, body: object | string) =>
        response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body));
      if (lie === 'hang') return;
      if (lie === 'cut') return void request.socket.destroy();
      if (lie === 'another key')
        return void answer(200, { data: { plaintext: randomBytes(32).toString('base64') } });
      if (lie !== null) return void answer(lie.status, lie.body);
      if (request.headers['x-vault-token'] !== accepted)
        return void answer(403, { errors: ['permission denied'] });
      const [verb, key] = (request.url ?? '').split('/').slice(-2);
      if (key !== KEY) return void answer(400, { errors: ['encryption key not found'] });
      try {
        answer(200, { data: verb === 'encrypt' ? seal(secret, fields) : open(secret, fields) });
      } catch {
        answer(400, { errors: ['invalid ciphertext: unable to decrypt'] });
      }
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}/v1/transit`,
    key: KEY,
    caFile: files.caFile,
    tokens,
    lie: (next) => {
      lie = next;
    },
    accept: (next) => {
      accepted = next;
    },
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function seal(secret: Buffer, { plaintext = '', associated_data }: Fields) {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', secret, iv).setAAD(Buffer.from(associated_data));
  const sealed = Buffer.concat([cipher.update(plaintext, 'base64'), cipher.final()]);
  const whole = Buffer.concat([iv, cipher.getAuthTag(), sealed]);
  return { ciphertext: `vault:v1:${whole.toString('base64')}` };
}

function open(secret: Buffer, { ciphertext = '', associated_data }: Fields) {
  const whole = Buffer.from(ciphertext.split(':')[2] ?? '', 'base64');
  const decipher = createDecipheriv('aes-256-gcm', secret, whole.subarray(0, 12))
    .setAAD(Buffer.from(associated_data))
    .setAuthTag(whole.subarray(12, 28));
  const plain = Buffer.concat([decipher.update(whole.subarray(28)), decipher.final()]);
  return { plaintext: plain.toString('base64') };
}
