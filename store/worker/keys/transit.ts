import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { z } from 'zod';
import type { KeyStoreProblem } from '../../../model/key-store-problem';
import { timeLimit } from '../../../time-limit';
import { KeyStoreUnavailable, MASTER_KEY_BYTES } from './key-store';
import type { KeyServer } from './sealed-keys';

export interface TransitSettings {
  /** Address of the transit engine, such as https://vault.example.com:8200/v1/transit. */
  readonly url: string;
  /** Name of the key in the engine. */
  readonly key: string;
  /** File with the token, which is read for each request, because an agent may renew it. */
  readonly tokenFile: string;
  /** File with the authorities to trust instead of the public ones (PEM). */
  readonly caFile?: string | undefined;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 5_000;
const MOST_ANSWER_BYTES = 64 * 1024;

const sealedAnswer = z.object({ data: z.object({ ciphertext: z.string().min(1) }) });
const openedAnswer = z.object({ data: z.object({ plaintext: z.base64() }) });
const failedAnswer = z.object({ errors: z.array(z.string()) });

/**
 * The transit engine of HashiCorp Vault and OpenBao (https://openbao.org/api-docs/secret/transit/). The key needs a type
 * that takes associated data, such as the default aes256-gcm96, and the token the right `update` on `encrypt/KEY` and
 * `decrypt/KEY` only.
 */
export function openTransit(settings: TransitSettings): KeyServer {
  const { url, key, timeoutMs = TIMEOUT_MS } = settings;
  const call = async <T>(verb: string, id: string, fields: object, schema: z.ZodType<T>) => {
    const body = JSON.stringify({
      ...fields,
      associated_data: base64(`lockstep-master-key\n${id}`),
    });
    const { status, json } = await send(settings, `${url}/${verb}/${encodeURIComponent(key)}`, {
      body,
      timeoutMs,
    });
    const problem = problemOf(status, json);
    if (problem !== null) throw new KeyStoreUnavailable(problem);
    const answer = schema.safeParse(json);
    if (!answer.success) throw new KeyStoreUnavailable('invalid_answer');
    return answer.data;
  };
  return {
    place: `${key} at ${url}`,
    async seal(id, bytes) {
      const fields = { plaintext: bytes.toString('base64') };
      return (await call('encrypt', id, fields, sealedAnswer)).data.ciphertext;
    },
    async open(id, sealed) {
      const { data } = await call('decrypt', id, { ciphertext: sealed }, openedAnswer);
      const bytes = Buffer.from(data.plaintext, 'base64');
      if (bytes.length !== MASTER_KEY_BYTES) throw new KeyStoreUnavailable('invalid_answer');
      return bytes;
    },
  };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

async function send(
  { tokenFile, caFile }: TransitSettings,
  url: string,
  { body, timeoutMs }: { readonly body: string; readonly timeoutMs: number },
): Promise<{ readonly status: number; readonly json: unknown }> {
  const token = tokenIn(tokenFile);
  // A connection serves one request: there are few, and a new authority in the file is used at once.
  const agent = new Agent({
    connect: { ...authorities(caFile), timeout: timeoutMs, minVersion: 'TLSv1.2' },
    maxResponseSize: MOST_ANSWER_BYTES,
  });
  try {
    const { statusCode, body: answer } = await request(url, {
      dispatcher: agent,
      method: 'POST',
      headers: { 'x-vault-token': token, 'content-type': 'application/json' },
      body,
      signal: timeLimit(timeoutMs),
    });
    return { status: statusCode, json: parsed(await answer.text()) };
  } catch (error) {
    throw new KeyStoreUnavailable(isUntrusted(error) ? 'certificate' : 'unreachable');
  } finally {
    void agent.destroy();
  }
}

function tokenIn(file: string): string {
  try {
    const token = readFileSync(file, 'utf8').trim();
    if (/^[\x21-\x7e]+$/.test(token)) return token;
  } catch {}
  throw new KeyStoreUnavailable('token');
}

function authorities(file: string | undefined): { readonly ca?: Buffer } {
  try {
    return file === undefined ? {} : { ca: readFileSync(file) };
  } catch {
    throw new KeyStoreUnavailable('certificate');
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Codes of OpenSSL and Node for a certificate that is not trusted, or not of this host. */
const UNTRUSTED =
  /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH)/;

const isUntrusted = (error: unknown): boolean =>
  UNTRUSTED.test(String((error as { readonly code?: unknown } | null)?.code));

/** The problem that an answer shows; null for an answer with a result. */
function problemOf(status: number, json: unknown): KeyStoreProblem | null {
  if (status === 200) return null;
  if (status === 403) return 'refused';
  if (status === 404) return 'no_key';
  if (status === 503) return 'sealed';
  // The engine answers alike for a key that it lacks and for what the key cannot open; only the text differs.
  const failure = failedAnswer.safeParse(json);
  if (status !== 400 || !failure.success) return 'invalid_answer';
  return failure.data.errors.some((text) => /key not found/.test(text)) ? 'no_key' : 'wrong_key';
}
