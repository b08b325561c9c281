import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { Misconfigured } from '../config';
import { grants, onWindows, PIPES } from './platform';
import { pollerKinds, type RegisteredPoller } from './polling/kinds';

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

const MEBIBYTE = 1024 * 1024;

/**
 * The schema of relay.json, which `lockstep relay register` writes and `lockstep relay run` reads. File names in it are
 * relative to its folder.
 */
export const relayFileSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .refine((url) => url.startsWith('https:') || LOOPBACK.test(new URL(url).hostname), {
      message: 'must be https, unless the api is on this machine',
    })
    .describe('URL of the api.'),
  relay: z.string().describe('Id of the relay.'),
  source: z.string().describe('The source whose password changes the relay captures.'),
  apiKeyFile: z.string().describe('File with the API key of the relay.'),
  signingKeyFile: z
    .string()
    .describe('File with the private key that signs the batches of the relay (Ed25519, JWK).'),
  signer: z
    .strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() })
    .describe('Public key that signs the sealing keys which the relay may use.'),
  caFile: z
    .string()
    .optional()
    .describe(
      'File with the CA certificate that must have issued the certificate of the api (PEM).',
    ),
  certFile: z.string().optional().describe('File with the client certificate of the relay (PEM).'),
  certKeyFile: z.string().optional().describe('File with the key of the client certificate (PEM).'),
  spool: z.string().describe('Folder of captures that are not delivered yet.'),
  socket: z
    .string()
    .optional()
    .describe('Socket on which the relay accepts captures; a named pipe on Windows.'),
  poll: z
    .strictObject({
      kind: z.string().describe('Kind of poller: see docs/captures/README.md.'),
      settings: z.record(z.string(), z.unknown()).describe('Settings of that kind of poller.'),
    })
    .optional()
    .describe('Polls the source for changes, if no agent hands them over.'),
  covers: z
    .enum(['host', 'source'])
    .default('host')
    .describe(
      'Which changes the relay captures: those made on this machine, or all of the source.',
    ),
  socketMode: z
    .enum(['0600', '0660'])
    .default('0600')
    .describe('Mode of the socket: 0600 admits the user of the relay, 0660 also its group.'),
  maxBytes: z
    .int()
    .min(16 * 1024)
    .default(64 * MEBIBYTE)
    .describe(
      'Maximum size of the spool in bytes. When it is reached, the oldest captures are quarantined.',
    ),
});

/** The content of relay.json, with its files read and its defaults filled in. */
export interface RelaySettings {
  readonly url: URL;
  readonly relay: string;
  readonly source: string;
  readonly apiKey: string;
  readonly signingKey: KeyObject;
  readonly signer: KeyObject;
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
  readonly spool: string;
  /** Socket for captures from agents; null if the relay only polls. */
  readonly socket: string | null;
  /** Poller of the source; null if agents hand captures over. */
  readonly poll: { readonly kind: RegisteredPoller; readonly settings: unknown } | null;
  readonly covers: 'host' | 'source';
  readonly socketMode: number;
  readonly maxBytes: number;
}

/** Reads relay.json and the files that it names. @throws Misconfigured with a message that says what to correct */
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
    throw new Misconfigured(
      `${file}: poll.kind must be one of ${[...pollerKinds.keys()].join(', ')}`,
    );
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
    return JSON.parse(text, (name, value) => {
      // The schema would not see it.
      if (name === '__proto__') throw new Misconfigured(`${file}: __proto__ is no setting`);
      return value;
    });
  } catch (error) {
    if (error instanceof Misconfigured) throw error;
    throw new Misconfigured(`${file} is not JSON`);
  }
}

function privateKeyIn(file: string): KeyObject {
  try {
    return createPrivateKey({ key: JSON.parse(readPrivate(file).toString('utf8')), format: 'jwk' });
  } catch (error) {
    if (error instanceof Misconfigured) throw error;
    // The message of the parser would quote the content of the file.
    throw new Misconfigured(`${file} does not hold a private key in JWK format: restore it`);
  }
}

const OTHERS = 0o077;

function readPrivate(file: string): Buffer {
  const content = readBytes(file);
  if (grants(file, OTHERS))
    throw new Misconfigured(`${file} can be read by other users: run "chmod go= ${file}"`);
  return content;
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Misconfigured(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
