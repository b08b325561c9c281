import { isIP } from 'node:net';
import { z } from 'zod';
import { secretReference } from '../../model/configuration/document';
import type { Secret } from '../../model/passwords/secret';
import { readCertificates } from '../certificates';
import { type ConnectorTools, HARD_DEADLINE_MS } from '../contract';
import { NoConnection } from './failures';

/** Settings of every SQL kind: where the database server is, and how Lockstep logs in to it. */
export const endpointShape = {
  host: z.string().min(1).describe('Host name of the server.'),
  serverName: z
    .hostname()
    .refine((name) => isIP(name) === 0, 'must be a name')
    .optional()
    .describe(
      'Name in the certificate of the server, if it is not host. Required if host is an IP address.',
    ),
  ca: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File with the certificates (PEM) of the authorities to trust instead of the public ones.',
    ),
  user: z.string().min(1).describe('Name of the service account.'),
  password: z.string().regex(secretReference).describe('Password of the service account.'),
  database: z.string().min(1).describe('Database to connect to.'),
  timeoutMs: z
    .int()
    .min(100)
    // A statement sent just before the limit is ended by the server after the same time again.
    .max(HARD_DEADLINE_MS / 2 - 1000)
    .default(8_000)
    .describe('Time limit for one call of the connector, in milliseconds.'),
  poolSize: z
    .int()
    .min(1)
    .max(50)
    .default(4)
    .describe('Maximum number of connections at the same time.'),
};

export type Endpoint = z.infer<z.ZodObject<typeof endpointShape>> & { readonly port: number };

/**
 * Whether a host name to compare with the certificate is known. The drivers check names only, so a certificate for an
 * IP address would go unchecked.
 */
export const namesItsCertificate = ({ host, serverName }: Pick<Endpoint, 'host' | 'serverName'>) =>
  serverName !== undefined || isIP(host) === 0;

export const serverNameNeeded = {
  path: ['serverName'],
  error: 'host is an IP address: give the name that is in the certificate of the server',
};

/** Reads the file of trusted authorities. Call it for each connection, so that a renewed file is picked up. */
export function authoritiesOf({ ca }: Endpoint): Buffer | undefined {
  try {
    return ca === undefined ? undefined : readCertificates(ca);
  } catch {
    throw new NoConnection('certificate_refused', 'ca_not_readable');
  }
}

/**
 * Resolves the password of the service account. The caller destroys it.
 * @throws NoConnection if the reference cannot be resolved
 */
export function serviceSecret({ password }: Endpoint, tools: ConnectorTools): Secret {
  try {
    return tools.resolve(password);
  } catch {
    throw new NoConnection('service_credential_refused', 'not_readable');
  }
}
