import { isIP } from 'node:net';
import { z } from 'zod';
import { mostSimilar } from './model/similar';

const port = z.coerce.number().int().min(0).max(65535);
const host = z.string().refine((text) => isIP(text) !== 0, 'must be an IP address');
const file = z.string().min(1);
/** A URL with TLS; a server of this machine, such as an agent, needs none. */
const protectedUrl = z
  .url({ protocol: /^https?$/ })
  .refine(
    (url) => new URL(url).protocol === 'https:' || isLoopback(new URL(url).hostname),
    'must begin with https:// unless the host is 127.0.0.1, ::1 or localhost',
  )
  .refine((url) => {
    const { username, password, search, hash } = new URL(url);
    return `${username}${password}${search}${hash}` === '';
  }, 'give no user name, password, query and fragment');
const isLoopback = (name: string) => /^(127(\.\d+){3}|\[::1\]|localhost)$/.test(name);
const folder = z.string().startsWith('/', 'must be an absolute path');

/**
 * Every environment variable that Lockstep knows. This file is the only one that reads the environment, and
 * `docs/configuration.md` is generated from these descriptions.
 */
export const environmentSchema = z.object({
  DATABASE_URL: z
    .string()
    .optional()
    .describe(
      'Connection URL of PostgreSQL 15 or newer, for api and worker. For TLS, add `?sslmode=verify-full&sslrootcert=FILE`.',
    ),
  DATABASE_DIRECT_URL: z
    .string()
    .optional()
    .describe(
      'Connection URL of PostgreSQL itself, needed when `DATABASE_URL` leads to a connection pool in transaction mode, such as PgBouncer. Lockstep listens for notifications there, and prepares no statements in the pool.',
    ),
  TEMPORAL_ADDRESS: z
    .string()
    .optional()
    .describe('host:port of the Temporal frontend, for the worker.'),
  TEMPORAL_NAMESPACE: z.string().default('lockstep').describe('Temporal namespace.'),
  TEMPORAL_TLS: z
    .stringbool()
    .optional()
    .describe(
      'Encrypts the connection to Temporal. Without it, the connection is encrypted if one of the following variables is set.',
    ),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: file
    .optional()
    .describe(
      'Certificates of the authorities that may sign the certificate of Temporal (PEM). By default those of the machine.',
    ),
  TEMPORAL_TLS_SERVER_NAME: z
    .string()
    .optional()
    .describe('Name in the certificate of Temporal, if it is not the host of TEMPORAL_ADDRESS.'),
  TEMPORAL_TLS_CLIENT_CERT_PATH: file
    .optional()
    .describe('Certificate with which the worker signs in to Temporal (PEM).'),
  TEMPORAL_TLS_CLIENT_KEY_PATH: file.optional().describe('Private key of that certificate (PEM).'),
  TEMPORAL_API_KEY_FILE: file
    .optional()
    .describe(
      'File with the API key with which the worker signs in to Temporal. A new key in the file is used within seconds.',
    ),
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
  LOCKSTEP_API_PUBLIC_URL: z
    .url()
    .optional()
    .describe(
      'Public URL of the api, for links. Workers use the one of the api unless they have their own.',
    ),
  LOCKSTEP_OPS_HOST: host
    .default('127.0.0.1')
    .describe(
      'Address on which api, worker and lookup service answer /livez, /readyz and /metrics. They ask for no key: with any address but loopback, let only the monitoring reach the ports.',
    ),
  LOCKSTEP_LOOKUP_DATABASE_URL: z
    .string()
    .optional()
    .describe(
      'Connection URL of PostgreSQL for the lookup service, with a role of its own that can read only what it needs, see lookup.md.',
    ),
  LOCKSTEP_LOOKUP_HOST: z
    .string()
    .default('127.0.0.1')
    .describe(
      'Address on which the lookup service listens. Any address but loopback requires TLS.',
    ),
  LOCKSTEP_LOOKUP_PORT: port.default(8444).describe('Port on which the lookup service listens.'),
  LOCKSTEP_LOOKUP_TLS_CERT_FILE: file
    .optional()
    .describe('Certificate chain of the lookup service (PEM).'),
  LOCKSTEP_LOOKUP_TLS_KEY_FILE: file
    .optional()
    .describe('Private key of the certificate of the lookup service (PEM).'),
  LOCKSTEP_LOOKUP_OPS_PORT: port
    .default(9082)
    .describe('Port for /livez, /readyz and /metrics of the lookup service.'),
  LOCKSTEP_API_OPS_PORT: port
    .default(9080)
    .describe('Port for /livez, /readyz and /metrics of the api.'),
  LOCKSTEP_WORKER_OPS_PORT: port
    .default(9081)
    .describe('Port for /livez, /readyz and /metrics of the worker.'),
  LOCKSTEP_KEY_DIR: file
    .optional()
    .describe('Folder with the private keys of the worker. Keep it out of database backups.'),
  LOCKSTEP_TRANSIT_URL: protectedUrl
    .optional()
    .describe(
      'Address of the transit engine of a HashiCorp Vault or OpenBao that seals the master keys, such as https://vault.example.com:8200/v1/transit. Without it, the master keys are files in LOCKSTEP_KEY_DIR.',
    ),
  LOCKSTEP_TRANSIT_KEY: z
    .string()
    .regex(/^[\w.-]+$/, 'use letters, digits, _, . and -')
    .default('lockstep')
    .describe('Name of the key in that engine.'),
  LOCKSTEP_TRANSIT_TOKEN_FILE: file
    .optional()
    .describe(
      'File with the token for that engine. It is read for each request, so an agent can renew it.',
    ),
  LOCKSTEP_TRANSIT_CA_FILE: file
    .optional()
    .describe(
      'Certificates of the authorities that may sign the certificate of that server (PEM). Default: the authorities that Node trusts.',
    ),
  LOCKSTEP_WORKER_SOURCES: z
    .string()
    .transform((text) => text.split(',').map((name) => name.trim()))
    .refine((names) => names.every((name) => name !== ''), 'must be names of sources, by commas')
    .optional()
    .describe(
      'Binds the worker to these sources, by commas: it asks no other source, runs no workflow, and uses nothing but epochs/ of its key folder. For sources with `isolated`, see deploying.md.',
    ),
  LOCKSTEP_AUDIT_ANCHOR_FILE: file
    .optional()
    .describe(
      'File to which the worker appends the end of the audit chain each minute; by default audit/anchors.jsonl in its key folder. Each worker machine has its own. A volume that allows only to append protects it best.',
    ),
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
  LOCKSTEP_CONSOLE_KEY_FILE: file
    .optional()
    .describe(
      'File with the API key with which the console changes the passwords of people who give the current one. The api creates key and file when the file is missing. Without this variable, the console has no pages for people.',
    ),
  LOCKSTEP_SIGN_IN_FILE: file
    .optional()
    .describe(
      'File (YAML) with the identity provider at which people and staff sign in to the console, and who may do what. Without it, staff sign in with API keys only.',
    ),
  LOCKSTEP_RECENT_SIGN_IN_MINUTES: z.coerce
    .number()
    .int()
    .min(1)
    .max(480)
    .default(10)
    .describe(
      'How long after a sign-in the console applies configurations, changes API keys, makes one-time links, and sets a password without the current one. After that it asks to sign in again.',
    ),
  LOCKSTEP_ONE_TIME_LINK_MINUTES: z.coerce
    .number()
    .int()
    .min(1)
    .max(1440)
    .default(15)
    .describe('How long a one-time link is valid, with which a person sets a new password.'),
  LOCKSTEP_URL: z
    .url()
    .optional()
    .describe('URL of the api for the CLI; without it, the api that "lockstep up" started.'),
  LOCKSTEP_API_KEY: z.string().optional().describe('API key for the CLI.'),
  LOCKSTEP_API_KEY_FILE: file.optional().describe('File with the API key for the CLI.'),
  LOCKSTEP_COMMAND_DIR: folder
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
  LOCKSTEP_SECRETS_DIR: folder
    .default('/etc/lockstep/secrets')
    .describe(
      'Folder of the worker to which `${file:…}` is limited. A name without a leading slash is relative to it. "lockstep up" uses the folder secrets/ of its state folder.',
    ),
  LOCKSTEP_SECRETS_PREFIX: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]*_$/, 'use upper-case letters, digits and _, a letter first and _ last')
    .default('LOCKSTEP_SECRET_')
    .describe(
      'Prefix of the variables of the worker to which `${env:…}` is limited. No variable of Lockstep itself may have it.',
    ),
  LOCKSTEP_POLICY_DIR: folder
    .default('/etc/lockstep/policies')
    .describe(
      'Folder of api and worker to which the files in `dictionary` and `blocklist` of a policy are limited. "lockstep up" uses the folder policies/ of its state folder.',
    ),
  LOCKSTEP_TRACES_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      'Traces endpoint of an OpenTelemetry collector (OTLP over HTTP, JSON), such as http://127.0.0.1:4318/v1/traces, for api and worker. Without it there are no traces.',
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
export class Misconfigured extends Error {
  override readonly name = 'Misconfigured';
}

export type Environment = z.infer<typeof environmentSchema>;

function readEnvironment(): Readonly<Environment> {
  const parsed = environmentSchema.superRefine(prefixOfSecrets).safeParse(process.env);
  if (parsed.success) return Object.freeze(parsed.data);
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new Misconfigured(
    `The environment is not valid. Correct these variables:\n${lines.join('\n')}`,
  );
}

/** With a prefix such as `LOCKSTEP_`, the configuration could read the variables of Lockstep itself. */
function prefixOfSecrets(
  { LOCKSTEP_SECRETS_PREFIX: prefix }: Environment,
  context: z.RefinementCtx,
): void {
  const own = Object.keys(environmentSchema.shape).find((name) => name.startsWith(prefix));
  if (own === undefined) return;
  const message = `is the beginning of ${own}, a variable of Lockstep itself; use another prefix`;
  context.addIssue({ code: 'custom', path: ['LOCKSTEP_SECRETS_PREFIX'], message });
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
    ([name]) =>
      !name.startsWith('LOCKSTEP_') &&
      !name.startsWith(environment.LOCKSTEP_SECRETS_PREFIX) &&
      name !== 'DATABASE_URL' &&
      name !== 'DATABASE_DIRECT_URL',
  );
  return Object.fromEntries(kept) as Record<string, string>;
}

/**
 * A sentence for each variable that Lockstep does not read although its name begins as if it did: a misspelt name would
 * silently have no effect.
 * @param prefixes the beginnings of names to look for
 */
export function unknownVariables(prefixes: readonly string[]): string[] {
  const known = Object.keys(environmentSchema.shape);
  const ofSecrets = environment.LOCKSTEP_SECRETS_PREFIX;
  return Object.keys(process.env)
    .filter((name) => prefixes.some((prefix) => name.startsWith(prefix)))
    .filter((name) => !known.includes(name) && !name.startsWith(ofSecrets))
    .map((name) => {
      const meant = mostSimilar(name, known);
      const advice =
        meant === null ? 'docs/configuration.md lists them.' : `Did you mean ${meant}?`;
      return `${name} is set, but it is not a variable of Lockstep and has no effect. ${advice}`;
    });
}

/** The named variables with their values, without those that are not set. */
export function passedOn(names: readonly string[]): Record<string, string> {
  const set = names.map((name) => [name, process.env[name]]);
  return Object.fromEntries(set.filter(([, value]) => value !== undefined));
}

/** The variables to which `${env:…}` is limited, with their values. */
export const secretVariables = (): Record<string, string> =>
  passedOn(
    Object.keys(process.env).filter((name) => name.startsWith(environment.LOCKSTEP_SECRETS_PREFIX)),
  );

/** Variables whose values are shown: a new one is not until its name says that it holds no secret. */
const SHOWN =
  /_(DIR|FILE|PATH|HOST|PORT|HOURS|LEVEL|NAMESPACE|ADDRESS|PREFIX|DIAGNOSTICS|MINUTES)$/;

/** The variables of Lockstep that are set, with their values; `set` in place of a value that could be secret. */
export const shownEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(passedOn(Object.keys(environmentSchema.shape))).map(([name, value]) => [
      name,
      SHOWN.test(name) ? value : 'set',
    ]),
  );

/** Whether this is a variable that Lockstep itself reads. */
export const isOwnVariable = (name: string): boolean =>
  Object.hasOwn(environmentSchema.shape, name);

/** The files and folders that hold the keys of Lockstep itself. */
export function ownPaths(): string[] {
  const { LOCKSTEP_KEY_DIR, LOCKSTEP_SIGNER_FILE, LOCKSTEP_FINGERPRINT_KEY_FILE } = environment;
  const {
    LOCKSTEP_ADMIN_KEY_FILE,
    LOCKSTEP_API_KEY_FILE,
    LOCKSTEP_API_TLS_KEY_FILE,
    LOCKSTEP_LOOKUP_TLS_KEY_FILE,
  } = environment;
  const { LOCKSTEP_CONSOLE_KEY_FILE, LOCKSTEP_SIGN_IN_FILE, LOCKSTEP_TRANSIT_TOKEN_FILE } =
    environment;
  const { TEMPORAL_API_KEY_FILE, TEMPORAL_TLS_CLIENT_KEY_PATH } = environment;
  return [
    ...[LOCKSTEP_KEY_DIR, LOCKSTEP_SIGNER_FILE, LOCKSTEP_FINGERPRINT_KEY_FILE],
    ...[LOCKSTEP_ADMIN_KEY_FILE, LOCKSTEP_API_KEY_FILE],
    ...[LOCKSTEP_API_TLS_KEY_FILE, LOCKSTEP_LOOKUP_TLS_KEY_FILE],
    ...[LOCKSTEP_CONSOLE_KEY_FILE, LOCKSTEP_TRANSIT_TOKEN_FILE],
    ...[LOCKSTEP_SIGN_IN_FILE, TEMPORAL_API_KEY_FILE, TEMPORAL_TLS_CLIENT_KEY_PATH],
  ].filter((own) => own !== undefined);
}
