import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { Misconfigured } from '../config';
import { grants, onWindows, PIPES } from './platform';
import { pollerKinds, type RegisteredPoller } from './polling/kinds';

/** The file that `lockstep relay register` writes and `lockstep relay run` reads. Files in it are beside it. */
const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

const MEBIBYTE = 1024 * 1024;

export const relayFileSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .refine((url) => url.startsWith('https:') || LOOPBACK.test(new URL(url).hostname), {
      message: 'must be https, unless the api is on this machine',
    })
    .describe('The api.'),
  relay: z.string().describe('Its id.'),
  source: z.string().describe('The source beside which it runs.'),
  apiKeyFile: z.string().describe('Its API key.'),
  signingKeyFile: z.string().describe('The private key that signs what it sends (Ed25519, JWK).'),
  signer: z
    .strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() })
    .describe('What signs the keys that it may seal to.'),
  caFile: z.string().optional().describe('Whose certificate the api has to show (PEM).'),
  certFile: z.string().optional().describe('The certificate that it shows itself (PEM).'),
  certKeyFile: z.string().optional().describe('The key of that certificate (PEM).'),
  spool: z.string().describe('The folder of what is not delivered yet.'),
  socket: z
    .string()
    .optional()
    .describe('Where captures are handed over; a named pipe on Windows.'),
  poll: z
    .strictObject({
      kind: z.string().describe('How: see docs/captures/README.md.'),
      settings: z.record(z.string(), z.unknown()).describe('The settings of that kind.'),
    })
    .optional()
    .describe('The source is read, where nobody hands its captures over.'),
  covers: z
    .enum(['host', 'source'])
    .default('host')
    .describe('What it captures: changes made on this machine, or all of the source.'),
  socketMode: z
    .enum(['0600', '0660'])
    .default('0600')
    .describe('Who may hand over: the user of the relay, or its group, too.'),
  maxBytes: z
    .int()
    .min(16 * 1024)
    .default(64 * MEBIBYTE)
    .describe('Of the spool: when more waits, the oldest is set aside.'),
});

export interface RelaySettings {
  readonly url: URL;
  readonly relay: string;
  readonly source: string;
  readonly apiKey: string;
  readonly signingKey: KeyObject;
  readonly signer: KeyObject;
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  readonly spool: string;
  /** Null: nobody hands anything over. */
  readonly socket: string | null;
  /** Null: nothing is read. */
  readonly poll: { readonly kind: RegisteredPoller; readonly settings: unknown } | null;
  readonly covers: 'host' | 'source';
  readonly socketMode: number;
  readonly maxBytes: number;
}

/** @throws Misconfigured, with what to put right */
export function readSettings(file: string): RelaySettings {
  const folder = path.dirname(path.resolve(file));
  const at = (name: string) => path.resolve(folder, name);
  const parsed = relayFileSchema.safeParse(parse(file));
  if (!parsed.success) throw new Misconfigured(`${file} is not valid: ${issuesIn(parsed.error)}`);
  const { url, relay, source, signer, maxBytes, ...named } = parsed.data;
  const optional = (name: string | undefined) =>
    name === undefined ? undefined : readBytes(at(name));
  const ca = optional(named.caFile);
  const cert = optional(named.certFile);
  const key = named.certKeyFile === undefined ? undefined : readPrivate(at(named.certKeyFile));
  return {
    url: new URL(url),
    relay,
    source,
    apiKey: readPrivate(at(named.apiKeyFile)).toString('utf8').trim(),
    signingKey: privateKeyIn(at(named.signingKeyFile)),
    signer: createPublicKey({ key: signer, format: 'jwk' }),
    tls: { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
    spool: at(named.spool),
    socket: named.socket === undefined ? null : socketAt(at(named.socket)),
    poll: named.poll === undefined ? null : pollOf(named.poll, file),
    covers: named.covers,
    socketMode: Number.parseInt(named.socketMode, 8),
    maxBytes,
  };
}

function pollOf(
  { kind, settings }: NonNullable<z.output<typeof relayFileSchema>['poll']>,
  file: string,
): RelaySettings['poll'] {
  const found = pollerKinds.get(kind);
  if (found === undefined)
    throw new Misconfigured(`${file}: poll.kind is one of ${[...pollerKinds.keys()].join(', ')}`);
  const parsed = found.settings.safeParse(settings);
  if (!parsed.success)
    throw new Misconfigured(`${file} is not valid: ${issuesIn(parsed.error, 'poll.settings.')}`);
  return { kind: found, settings };
}

const issuesIn = ({ issues }: z.ZodError, before = ''): string =>
  issues.map(({ path: at, message }) => `${before}${at.join('.')}: ${message}`).join('; ');

function socketAt(socket: string): string {
  if (onWindows && !socket.startsWith(PIPES))
    throw new Misconfigured(`socket must be a named pipe on Windows, such as ${PIPES}lockstep`);
  return socket;
}

function parse(file: string): unknown {
  const text = readBytes(file).toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    throw new Misconfigured(`${file} is not JSON`);
  }
}

function privateKeyIn(file: string): KeyObject {
  try {
    return createPrivateKey({ key: JSON.parse(readPrivate(file).toString('utf8')), format: 'jwk' });
  } catch (error) {
    if (error instanceof Misconfigured) throw error;
    // What the parser says quotes the file.
    throw new Misconfigured(`${file} does not hold a private key`);
  }
}

const OTHERS = 0o077;

function readPrivate(file: string): Buffer {
  const content = readBytes(file);
  if (grants(file, OTHERS)) throw new Misconfigured(`${file} can be read by others: chmod go= it`);
  return content;
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Misconfigured(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
