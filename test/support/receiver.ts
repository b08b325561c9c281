import { createHmac, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import { compactDecrypt } from 'jose';
import { certificatesIn } from '../../local/certificates';
import { freePort } from '../../local/ports';
import type { Address } from './proxy';
import { until } from './until';
import { type Answer, type Mishap, reply } from './vendors/vendor';

/** A service behind the webhook connector that follows docs/your-own-connector.md. */
export interface Receiver {
  readonly address: Address;
  readonly caFile: string;
  readonly otherCaFile: string;
  /** Files with public keys by algorithm, and one with a private key. */
  readonly keyFiles: Readonly<Record<'ec' | 'x25519' | 'rsa' | 'private', string>>;
  readonly signingSecret: string;
  readonly people: Map<string, Person>;
  /** The reason for each request that was refused before its body was trusted. */
  readonly refused: readonly string[];
  readonly requests: readonly ReceivedRequest[];
  /** Resolves when no request is in progress; a client that closes its connection does not stop its request. */
  settled(): Promise<void>;
  /** Makes the next request go wrong. */
  goWrong(mishap: Mishap): void;
  /** Passes every answer through `change` from now on. Null ends it. */
  answering(change: Mishap | null): void;
  stop(): Promise<void>;
}

export interface ReceivedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Person {
  readonly id: string;
  name: string;
  password: string;
  changedAt: string | null;
  disabled: boolean;
  locked: boolean;
  mustChange: boolean;
  failedLogins: number;
}

export const TOKENS = { writer: 'token-that-may-write', reader: 'token-that-may-read' } as const;

const TOLERANCE_SECONDS = 300;

/** @param ids whether an id is never given to another person */
export async function startReceiver(ids: 'lasting' | 'reusable' = 'lasting'): Promise<Receiver> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'receiver-'));
  const files = await certificatesIn(dir);
  const other = await certificatesIn(path.join(dir, 'other'));
  const keys = keysIn(dir);
  const signingSecret = `whsec_${randomBytes(32).toString('base64')}`;
  const people = new Map<string, Person>();
  const [refused, requests]: [string[], ReceivedRequest[]] = [[], []];
  const mishaps: Mishap[] = [];
  let changing: Mishap | null = null;
  const usedIds = new Set<string>();
  let underWay = 0;

  async function serve(request: ReceivedRequest): Promise<ReturnType<Mishap>> {
    requests.push(request);
    const offence = offenceOf(request, signingSecret, usedIds);
    if (offence !== null) {
      refused.push(offence);
      return { status: 401 };
    }
    const command = JSON.parse(await opened(request, keys.privateKeys));
    const mayWrite = request.headers.authorization === `Bearer ${TOKENS.writer}`;
    const answer = (): Answer => ({ status: 200, json: answerOf(people, ids, command, mayWrite) });
    return (changing ?? mishaps.shift())?.(answer) ?? answer();
  }

  const credentials = { key: readFileSync(files.keyFile), cert: readFileSync(files.certFile) };
  const server = https.createServer(credentials, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const whole = { headers: request.headers, body: Buffer.concat(chunks) };
      const isRight = request.method === 'POST' && request.url === '/lockstep/';
      underWay++;
      reply(response, isRight ? await serve(whole) : { status: 404 });
      underWay--;
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    address: { host: '127.0.0.1', port },
    caFile: files.caFile,
    otherCaFile: other.caFile,
    keyFiles: keys.files,
    ...{ signingSecret, people, refused, requests },
    settled: () => until(() => underWay === 0),
    goWrong: (mishap) => mishaps.push(mishap),
    answering(change) {
      changing = change;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(dir, { recursive: true });
    },
  };
}

function keysIn(dir: string) {
  const pairs = {
    ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    x25519: generateKeyPairSync('x25519'),
    rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  };
  const file = (name: string, text: string) => {
    writeFileSync(path.join(dir, name), text);
    return path.join(dir, name);
  };
  const jwk = (key: KeyObject, kid: string) =>
    JSON.stringify({ ...key.export({ format: 'jwk' }), kid });
  const pem = (key: KeyObject) => key.export({ format: 'pem', type: 'spki' }).toString();
  return {
    privateKeys: { 'ECDH-ES': [pairs.ec, pairs.x25519], 'RSA-OAEP-256': [pairs.rsa] },
    files: {
      ec: file('ec.pem', pem(pairs.ec.publicKey)),
      x25519: file('x25519.jwk', jwk(pairs.x25519.publicKey, 'of-the-receiver')),
      rsa: file('rsa.pem', pem(pairs.rsa.publicKey)),
      private: file('private.jwk', jwk(pairs.x25519.privateKey, 'of-the-receiver')),
    },
  };
}

/** Checks a request as Standard Webhooks demands. @returns the reason to refuse it, or null */
function offenceOf(
  { headers, body }: ReceivedRequest,
  secret: string,
  usedIds: Set<string>,
): string | null {
  const [id, timestamp, signature] = ['id', 'timestamp', 'signature'].map((part) =>
    String(headers[`webhook-${part}`]),
  );
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const content = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  const right = `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
  if (signature !== right) return 'signature';
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS) return 'timestamp';
  if (usedIds.has(id ?? '')) return 'replay';
  usedIds.add(id ?? '');
  const known = Object.values(TOKENS).map((token) => `Bearer ${token}`);
  return known.includes(headers.authorization ?? '') ? null : 'token';
}

async function opened(
  { headers, body }: ReceivedRequest,
  privateKeys: Readonly<Record<string, readonly { privateKey: KeyObject }[]>>,
): Promise<string> {
  if (headers['content-type'] === 'application/json') return body.toString('utf8');
  const { alg } = JSON.parse(
    Buffer.from(body.toString().split('.')[0] ?? '', 'base64url').toString(),
  );
  for (const { privateKey } of privateKeys[alg] ?? []) {
    const plain = await compactDecrypt(body.toString(), privateKey).catch(() => null);
    if (plain !== null) return Buffer.from(plain.plaintext).toString('utf8');
  }
  throw new Error('The request is encrypted for another recipient');
}

interface WebhookCommand {
  readonly version: number;
  readonly operation: string;
  readonly account: { readonly name: string; readonly nativeId: string | null };
  readonly password: string;
  readonly match: Readonly<Record<string, string>>;
  readonly limit: number;
  readonly cursor: string | null;
  readonly pageSize: number;
}

function answerOf(
  people: Map<string, Person>,
  ids: 'lasting' | 'reusable',
  command: WebhookCommand,
  mayWrite: boolean,
): object {
  const failed = (reason: string) => ({ result: 'failed', reason });
  if (command.version !== 1) return failed('not_supported');
  const shown = ({ name, id }: Person) => ({
    ...{ name, nativeId: id },
    attributes: { mail: `${id}@example.com` },
  });
  const sorted = [...people.values()].sort((one, another) => (one.id < another.id ? -1 : 1));
  const { account, password } = command;
  const named = sorted.find(({ name }) => name === account?.name);
  const identified = people.get(account?.nativeId ?? '');
  const isThis = account?.nativeId == null || named?.id === account.nativeId;
  const person = isThis ? named : ids === 'lasting' ? identified : undefined;
  const problem =
    identified !== undefined ? 'account_renamed' : named ? 'account_replaced' : 'no_account';
  switch (command.operation) {
    case 'check':
      if (mayWrite) return { result: 'findings', findings: [] };
      return {
        result: 'findings',
        findings: [{ check: 'rights', verdict: 'wrong', says: 'This token may only read.' }],
      };
    case 'find':
      return { result: 'found', accounts: sorted.map(shown) };
    case 'list': {
      const rest = sorted.filter(({ id }) => id > (command.cursor ?? ''));
      const page = rest.slice(0, command.pageSize);
      const cursor = rest.length > page.length ? page.at(-1)?.id : null;
      return { result: 'page', accounts: page.map(shown), cursor };
    }
    case 'state': {
      if (person === undefined) return failed(problem);
      const { disabled, locked, mustChange, changedAt } = person;
      return {
        ...{ result: 'state', account: { name: person.name, nativeId: person.id } },
        ...{ disabled, locked, mustChange, passwordChangedAt: changedAt },
      };
    }
    case 'setPassword':
      if (!mayWrite) return { result: 'rejected', reason: 'no_rights' };
      // A careless receiver that repeats the password in its answer.
      if (person === undefined)
        return { result: 'rejected', reason: problem, vendorCode: password };
      if ([...password].length < 8) return { result: 'rejected', reason: 'policy_too_short' };
      Object.assign(person, { password, changedAt: new Date().toISOString() });
      return { result: 'applied', account: { name: person.name, nativeId: person.id } };
    case 'verify':
      if (person === undefined) return { result: 'inconclusive', reason: problem };
      if (person.disabled) return { result: 'inconclusive', reason: 'account_disabled' };
      if (person.locked) return { result: 'inconclusive', reason: 'account_locked' };
      if (person.password === password) return { result: 'holds', proof: 'login' };
      person.failedLogins++;
      return { result: 'differs' };
    default:
      return failed('not_supported');
  }
}
