import { isIP } from 'node:net';
import { z } from 'zod';
import { HARD_DEADLINE_MS } from '../contract';

export const httpsAddress = z
  .url({ protocol: /^https$/, error: 'use https://host or https://host:port' })
  .refine((url) => {
    const { hostname, search, hash, username, password } = new URL(url);
    return hostname !== '' && `${search}${hash}${username}${password}` === '';
  }, 'give an address without user name, password, query and fragment');

/** Base address of an API, without a slash at the end. */
export const httpsUrl = httpsAddress.refine(
  (url) => !url.endsWith('/'),
  'give no slash at the end',
);

const network = z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6(), z.hostname()]);

const hostOrNetwork = z
  .string()
  .refine(
    (text) => network.safeParse(text).success,
    'give a host name, an address or a network such as 10.1.0.0/16',
  );

/** Settings of every kind that uses HTTPS. */
export const httpShape = {
  ca: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File with the certificates (PEM) of the authorities to trust instead of the public ones.',
    ),
  serverName: z
    .hostname()
    .refine((name) => isIP(name) === 0, 'must be a name')
    .optional()
    .describe('Name in the certificate of the server, if it is not the host of the address.'),
  allowPrivateAddresses: z
    .array(hostOrNetwork)
    .default([])
    .describe(
      'Host names, addresses and networks that Lockstep may connect to although they are not public. It refuses all other loopback, private and link-local addresses.',
    ),
  timeoutMs: z
    .int()
    .min(100)
    .max(HARD_DEADLINE_MS / 2)
    .default(8_000)
    .describe('Time limit for one request, in milliseconds.'),
  poolSize: z
    .int()
    .min(1)
    .max(50)
    .default(4)
    .describe('Maximum number of connections at the same time.'),
};

export type HttpSettings = z.infer<z.ZodObject<typeof httpShape>>;
