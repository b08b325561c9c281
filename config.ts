import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { secretReference } from './model/configuration/document';
import { Secret } from './model/passwords/secret';

const port = z.coerce.number().int().min(0).max(65535);
const file = z.string().min(1);

/**
 * Every environment variable that Lockstep knows. This file is the only one that reads the environment, and
 * `docs/configuration.md` is generated from these descriptions.
 */
export const environmentSchema = z.object({
  DATABASE_URL: z
    .string()
    .optional()
    .describe('Connection URL of PostgreSQL 15 or newer, for api and worker.'),
  TEMPORAL_ADDRESS: z
    .string()
    .optional()
    .describe('host:port of the Temporal frontend, for the worker.'),
  TEMPORAL_NAMESPACE: z.string().default('lockstep').describe('Temporal namespace.'),
  TEMPORAL_UI_URL: z
    .url()
    .optional()
    .describe('URL of the Temporal Web UI, for links in responses of the api.'),
  TEMPORAL_CLI_PATH: file.optional().describe('The temporal binary that "lockstep up" starts.'),
  POSTGRES_BIN_DIR: file
    .optional()
    .describe('The folder with initdb and postgres that "lockstep up" uses.'),
  LOCKSTEP_CACHE_DIR: file
    .optional()
    .describe('The folder in which "lockstep up" keeps downloads.'),
  LOCKSTEP_API_HOST: z
    .string()
    .default('127.0.0.1')
    .describe('Address on which the api listens. Any address but loopback requires TLS.'),
  LOCKSTEP_API_PORT: port.default(8080).describe('Port on which the api listens.'),
  LOCKSTEP_API_TLS_CERT_FILE: file.optional().describe('Certificate chain of the api (PEM).'),
  LOCKSTEP_API_TLS_KEY_FILE: file.optional().describe('Private key of the api certificate (PEM).'),
  LOCKSTEP_API_PUBLIC_URL: z.url().optional().describe('Public URL of the api, for links.'),
  LOCKSTEP_API_OPS_PORT: port
    .default(9080)
    .describe('Loopback port for /livez, /readyz and /metrics of the api.'),
  LOCKSTEP_WORKER_OPS_PORT: port
    .default(9081)
    .describe('Loopback port for /livez, /readyz and /metrics of the worker.'),
  LOCKSTEP_KEY_DIR: file
    .optional()
    .describe('Folder with the private keys of the worker. Keep it out of database backups.'),
  LOCKSTEP_SIGNER_FILE: file
    .optional()
    .describe(
      'File with the public key by which the api verifies epochs. The worker writes it as signer.pub.json into its key folder.',
    ),
  LOCKSTEP_FINGERPRINT_KEY_FILE: file
    .optional()
    .describe(
      'File with the key of the fingerprints that recognise a repeated password. Api and worker need the same file; it is created when missing.',
    ),
  LOCKSTEP_ADMIN_KEY_FILE: file
    .optional()
    .describe('File into which the api writes the first admin key, when there is no key yet.'),
  LOCKSTEP_URL: z
    .url()
    .optional()
    .describe('URL of the api for the CLI; without it, the api that "lockstep up" started.'),
  LOCKSTEP_API_KEY: z.string().optional().describe('API key for the CLI.'),
  LOCKSTEP_API_KEY_FILE: file.optional().describe('File with the API key for the CLI.'),
  LOCKSTEP_COMMAND_DIR: z
    .string()
    .startsWith('/', 'must be an absolute path')
    .optional()
    .describe(
      'Folder with the programs that the worker may run for sources of the kind "command". Without it, it runs none.',
    ),
  LOCKSTEP_WORKFLOW_DIAGNOSTICS: z
    .enum(['on', 'off'])
    .default('off')
    .describe(
      'With "on", the Temporal Web UI shows the call stack of a running workflow, and the worker cuts off a workflow that computes for five seconds. That takes CPU time for each change.',
    ),
  LOCKSTEP_LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Lowest level that is logged.'),
  LOCKSTEP_EPOCH_HOURS: z.coerce
    .number()
    .positive()
    .default(24)
    .describe('Hours during which passwords are sealed to the same epoch key.'),
  LOCKSTEP_AGE_LIMIT_HOURS: z.coerce
    .number()
    .positive()
    .default(72)
    .describe('Age, in hours, at which a change expires.'),
});

/** An error in the setup that the operator has to correct. Its message is for the operator and holds no secret. */
export class Misconfigured extends Error {}

export type Environment = z.infer<typeof environmentSchema>;

function readEnvironment(): Readonly<Environment> {
  const parsed = environmentSchema.safeParse(process.env);
  if (parsed.success) return Object.freeze(parsed.data);
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new Misconfigured(
    `The environment is not valid. Correct these variables:\n${lines.join('\n')}`,
  );
}

export const environment = readEnvironment();

/** @throws Misconfigured when debug output of libraries is on, because they would print passwords */
export function refuseDebugOutput(): void {
  for (const name of ['NODE_DEBUG', 'DEBUG'])
    if ((process.env[name] ?? '') !== '')
      throw new Misconfigured(`Unset ${name}: with it, libraries print their data, passwords too.`);
}

/** The environment that a child process inherits: everything but the variables of Lockstep, which may hold secrets. */
export function inheritedEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('LOCKSTEP_') && name !== 'DATABASE_URL',
  );
  return Object.fromEntries(kept) as Record<string, string>;
}

/** The named variables with their values, without those that are not set. */
export function passedOn(names: readonly string[]): Record<string, string> {
  const set = names.map((name) => [name, process.env[name]]);
  return Object.fromEntries(set.filter(([, value]) => value !== undefined));
}

/**
 * Reads the secret that a reference such as `${file:/run/secrets/x}` or `${env:NAME}` names. It is read again at each
 * call, so that a rotated secret is used at once. The caller destroys it.
 * @throws Misconfigured when the reference or the variable is missing, or the file begins with a byte order mark; an
 *   error of the file system when the file cannot be read
 */
export function resolveReference(reference: string): Secret {
  const [, kind, name] = secretReference.exec(reference) ?? [];
  if (name === undefined)
    throw new Misconfigured('A secret must be given as a reference: ${file:…} or ${env:…}.');
  if (kind === 'file') return readSecretFile(path.resolve(name));
  const value = process.env[name];
  if (value === undefined)
    throw new Misconfigured(
      `The environment variable ${name} is not set. Set it, or correct the reference.`,
    );
  return Secret.fromText(value);
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * The content of a file, without one line end at the end, which editors add.
 * @throws Misconfigured when the file begins with a byte order mark, which would be a part of the secret
 */
function readSecretFile(name: string): Secret {
  const content = readFileSync(name);
  if (content.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)) {
    content.fill(0);
    throw new Misconfigured(
      `The file ${name} begins with a byte order mark (BOM), which is no part of the secret. Save it as UTF-8 without BOM.`,
    );
  }
  const end = content.at(-1) === 0x0a ? (content.at(-2) === 0x0d ? -2 : -1) : content.length;
  const secret = Secret.of(Buffer.from(content.subarray(0, end)));
  content.fill(0);
  return secret;
}
