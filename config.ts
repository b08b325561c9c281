import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { secretReference } from './model/configuration/document';
import { Secret } from './model/passwords/secret';

/**
 * The only place that reads the environment. Every variable that Lockstep knows is a line here;
 * `docs/configuration.md` is generated from it.
 */
const port = z.coerce.number().int().min(0).max(65535);
const file = z.string().min(1);

export const environmentSchema = z.object({
  DATABASE_URL: z.string().optional().describe('PostgreSQL 15 or newer, for api and worker.'),
  TEMPORAL_ADDRESS: z
    .string()
    .optional()
    .describe('host:port of the Temporal frontend, for the worker.'),
  TEMPORAL_NAMESPACE: z.string().default('lockstep').describe('Temporal namespace.'),
  TEMPORAL_UI_URL: z
    .url()
    .optional()
    .describe('Temporal Web UI, for the links that the api gives.'),
  TEMPORAL_CLI_PATH: file.optional().describe('The temporal binary that "lockstep up" starts.'),
  POSTGRES_BIN_DIR: file
    .optional()
    .describe('The folder with initdb and postgres for "lockstep up".'),
  LOCKSTEP_CACHE_DIR: file.optional().describe('Where "lockstep up" keeps what it downloads.'),
  LOCKSTEP_API_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address that the api listens on. Anything but loopback needs TLS.'),
  LOCKSTEP_API_PORT: port.default(8080).describe('Port of the api.'),
  LOCKSTEP_API_TLS_CERT_FILE: file.optional().describe('Certificate chain of the api (PEM).'),
  LOCKSTEP_API_TLS_KEY_FILE: file.optional().describe('Private key of the api certificate (PEM).'),
  LOCKSTEP_API_PUBLIC_URL: z.url().optional().describe('How people reach the api, for links.'),
  LOCKSTEP_API_OPS_PORT: port
    .default(9080)
    .describe('/livez, /readyz and /metrics of the api, on loopback.'),
  LOCKSTEP_WORKER_OPS_PORT: port
    .default(9081)
    .describe('/livez, /readyz and /metrics of the worker, on loopback.'),
  LOCKSTEP_KEY_DIR: file
    .optional()
    .describe('Private keys of the worker. Keep it out of the backups of the database.'),
  LOCKSTEP_SIGNER_FILE: file
    .optional()
    .describe(
      'Public key that signs epochs, for the api. The worker writes it as signer.pub.json into its key folder.',
    ),
  LOCKSTEP_FINGERPRINT_KEY_FILE: file
    .optional()
    .describe(
      'Key by which passwords are recognised that come again, for api and worker: the same file. Made when missing.',
    ),
  LOCKSTEP_ADMIN_KEY_FILE: file
    .optional()
    .describe('Where the api writes a first admin key when there is none yet.'),
  LOCKSTEP_URL: z
    .url()
    .optional()
    .describe('The api that the CLI talks to; without it, the one that "lockstep up" started.'),
  LOCKSTEP_API_KEY: z.string().optional().describe('The API key of the CLI.'),
  LOCKSTEP_API_KEY_FILE: file.optional().describe('A file with the API key of the CLI.'),
  LOCKSTEP_COMMAND_DIR: z
    .string()
    .startsWith('/', 'must be an absolute path')
    .optional()
    .describe(
      'The folder whose programs sources of the kind "command" may run, for the worker. Without it, none.',
    ),
  LOCKSTEP_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Lowest level that is logged.'),
  LOCKSTEP_EPOCH_HOURS: z.coerce
    .number()
    .positive()
    .default(24)
    .describe('How long passwords are sealed to one epoch key.'),
  LOCKSTEP_AGE_LIMIT_HOURS: z.coerce
    .number()
    .positive()
    .default(72)
    .describe('Age at which a change is given up.'),
});

/** Something that the operator has to put right; its message is written for them and holds no secret. */
export class Misconfigured extends Error {}

export type Environment = z.infer<typeof environmentSchema>;

function readEnvironment(): Readonly<Environment> {
  const parsed = environmentSchema.safeParse(process.env);
  if (parsed.success) return Object.freeze(parsed.data);
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new Misconfigured(`The environment is not valid:\n${lines.join('\n')}`);
}

export const environment = readEnvironment();

/** @throws Misconfigured where libraries would print what passes through them, passwords included */
export function refuseDebugOutput(): void {
  for (const name of ['NODE_DEBUG', 'DEBUG'])
    if ((process.env[name] ?? '') !== '')
      throw new Misconfigured(`Unset ${name}: with it, libraries print what passes through them`);
}

/** What a child process of ours may inherit: never our secrets. */
export function inheritedEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('LOCKSTEP_') && name !== 'DATABASE_URL',
  );
  return Object.fromEntries(kept) as Record<string, string>;
}

/** Of the variables that are named, those that are set. */
export function passedOn(names: readonly string[]): Record<string, string> {
  const set = names.map((name) => [name, process.env[name]]);
  return Object.fromEntries(set.filter(([, value]) => value !== undefined));
}

/**
 * Reads what a reference names, at each call, so that a rotated secret is picked up.
 * @throws Error with a sentence about the reference, never its value
 */
export function resolveReference(reference: string): Secret {
  const [, kind, name] = secretReference.exec(reference) ?? [];
  if (name === undefined)
    throw new Misconfigured('A secret must be given as ${file:…} or ${env:…}');
  if (kind === 'file') return readSecretFile(path.resolve(name));
  const value = process.env[name];
  if (value === undefined) throw new Misconfigured(`The environment variable ${name} is not set`);
  return Secret.fromText(value);
}

/** The content of a file without the line end that editors add. */
function readSecretFile(name: string): Secret {
  const content = readFileSync(name);
  const end = content.at(-1) === 0x0a ? (content.at(-2) === 0x0d ? -2 : -1) : content.length;
  const secret = Secret.of(Buffer.from(content.subarray(0, end)));
  content.fill(0);
  return secret;
}
