import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import { secretReference } from '../../model/configuration/document';
import type { Secret } from '../../model/passwords/secret';
import { type ConnectorTools, HARD_DEADLINE_MS } from '../contract';
import { NoConnection } from './failures';

/** Where a database server is and how Lockstep signs in to it: what every SQL kind asks for. */
export const endpointShape = {
  host: z.string().min(1).describe('Host name of the server.'),
  serverName: z
    .hostname()
    .refine((name) => isIP(name) === 0, 'must be a name')
    .optional()
    .describe('The name in its certificate, where that is not host. Needed when host is an IP.'),
  ca: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File with the certificates (PEM) of the authorities to trust, instead of the public ones.',
    ),
  user: z.string().min(1).describe('The service account.'),
  password: z.string().regex(secretReference).describe('Its password.'),
  database: z.string().min(1).describe('The database to connect to.'),
  timeoutMs: z
    .int()
    .min(100)
    // A statement that the server got at the last moment is ended by the server after the same time again.
    .max(HARD_DEADLINE_MS / 2 - 1000)
    .default(8_000)
    .describe('How long one request of Lockstep may take in all, in milliseconds.'),
  poolSize: z.int().min(1).max(50).default(4).describe('Connections at the same time at most.'),
};

export type Endpoint = z.infer<z.ZodObject<typeof endpointShape>> & { readonly port: number };

/** Of a certificate, drivers check names only: one for an address alone would go unchecked. */
export const namesItsCertificate = ({ host, serverName }: Pick<Endpoint, 'host' | 'serverName'>) =>
  serverName !== undefined || isIP(host) === 0;

export const serverNameNeeded = {
  path: ['serverName'],
  error: 'host is an IP address: say which name the certificate holds',
};

/** Read at each connection, so that a renewed file is picked up. */
export function authoritiesOf({ ca }: Endpoint): Buffer | undefined {
  try {
    return ca === undefined ? undefined : readFileSync(ca);
  } catch {
    throw new NoConnection('certificate_refused', 'ca_not_readable');
  }
}

export function serviceSecret({ password }: Endpoint, tools: ConnectorTools): Secret {
  try {
    return tools.resolve(password);
  } catch {
    throw new NoConnection('service_credential_refused', 'not_readable');
  }
}
