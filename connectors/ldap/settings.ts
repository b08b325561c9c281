import { z } from 'zod';
import { secretReference } from '../../model/configuration/document';
import { directorySchemes } from './schemes';

const name = z.string().min(1);
export const reference = z.string().regex(secretReference, 'give ${file:…} or ${env:…}');

const urlOf = (protocol: RegExp) =>
  z.url({ protocol, error: 'use ldaps://host or ldaps://host:port' }).refine((url) => {
    const { hostname, pathname, search, username } = new URL(url);
    return hostname !== '' && pathname.length <= 1 && search === '' && username === '';
  }, 'give host and port only');

/** A server that is reached by TLS from the first byte. */
export const ldapsUrl = urlOf(/^ldaps$/);

/** A server that is reached by TLS from the first byte, or by StartTLS where the operator allows that. */
const serverUrl = urlOf(/^ldaps?$/);

/** A server, or a domain whose servers DNS lists in SRV records. */
const serverOrDomain = urlOf(/^ldaps?(\+srv)?$/);

/** Settings of every kind of directory. */
export const directorySettings = {
  url: serverOrDomain.describe(
    'Address of the server to read and write, as ldaps://host:port. `ldaps+srv://example.com`: the servers that the DNS names for this domain, by their priority and weight.',
  ),
  fallbackUrls: z
    .array(serverUrl)
    .max(9)
    .default([])
    .describe(
      'Further servers with the same accounts, in order of preference. Lockstep uses one server at a time: another one when the current one is unreachable or busy or its certificate is not trusted, and again the first one as soon as it is back.',
    ),
  startTls: z
    .boolean()
    .default(false)
    .describe(
      'Allows `ldap://`: the connection begins without TLS, and Lockstep sends nothing but the request for TLS before that is in place. Use `ldaps://` where the server offers it.',
    ),
  ca: name
    .optional()
    .describe('File with the certificate (PEM) of the authority that signed that of the server.'),
  serverName: name
    .optional()
    .describe('Name in the certificate of every server, if it is not the host in its address.'),
  bindDn: name.describe('DN of the service account of Lockstep.'),
  bindPassword: reference
    .optional()
    .describe('Password of the service account. Required, unless `login` is `external`.'),
  base: z.string().regex(/=/, 'give a DN').describe('DN below which the accounts are.'),
  timeoutMs: z
    .int()
    .min(100)
    .max(10_000)
    .default(5_000)
    .describe('Time limit for one request, in milliseconds.'),
  poolSize: z
    .int()
    .min(1)
    .max(64)
    .default(8)
    .describe(
      'Maximum number of connections of the service account, and of connections that verify passwords.',
    ),
};

/** Settings of the kinds that can present a certificate of their own. */
const clientCertificates = {
  clientCertificate: name
    .optional()
    .describe(
      'File with a certificate of Lockstep (PEM), for a server that asks for one (OpenLDAP: TLSVerifyClient).',
    ),
  clientKey: reference.optional().describe('The private key of that certificate (PEM).'),
  login: z
    .enum(['simple', 'external'])
    .default('simple')
    .describe(
      'simple: the service account logs in by `bindDn` and `bindPassword`. external: by its certificate (SASL EXTERNAL); `bindDn` is the name that the server gives it.',
    ),
};

const filter = z.string().regex(/^\(.*\)$/s, 'give an LDAP filter in parentheses');

export const userFilter = (fallback: string) =>
  filter.default(fallback).describe('LDAP filter that matches accounts and no other entries.');

export const attributes = (...fallback: string[]) =>
  z.array(name).default(fallback).describe('Attributes to read for correlation.');

/** Rules about several settings at once. */
export function checkTogether(
  { url, fallbackUrls = [], startTls, ...settings }: Partial<DirectorySettings>,
  issues: z.core.$RefinementCtx,
): void {
  const { login, bindPassword, clientCertificate, clientKey } = settings;
  const refuse = (field: string, message: string) =>
    issues.addIssue({ code: 'custom', path: [field], message });
  const plain = (address = '') => /^ldap[:+]/.test(address);
  if (startTls !== true && plain(url)) refuse('url', WITHOUT_TLS);
  if (startTls !== true && fallbackUrls.some(plain)) refuse('fallbackUrls', WITHOUT_TLS);
  if (login !== 'external' && bindPassword === undefined)
    refuse('bindPassword', 'is missing; give ${file:…} or ${env:…}');
  if ((clientCertificate === undefined) !== (clientKey === undefined))
    refuse('clientKey', 'and clientCertificate belong together; set both or none');
  else if (login === 'external' && clientKey === undefined)
    refuse('clientCertificate', 'is missing, because login is external');
}

const WITHOUT_TLS = 'has no TLS; use ldaps://host:port, or set startTls';

const ldapFields = z.strictObject({
  ...directorySettings,
  ...clientCertificates,
  userFilter: userFilter('(objectClass=inetOrgPerson)'),
  attributes: attributes('uid', 'cn', 'mail'),
  passwordAttribute: name
    .default('userPassword')
    // IBM's directories return the attribute with this option (RFC 4522), and accept it without.
    .transform((attribute) => attribute.replace(/;binary$/i, ''))
    .describe(
      'Attribute that holds the password. `userPassword;binary` means the same as `userPassword`.',
    ),
  hashes: z
    .array(z.enum(directorySchemes))
    .default([])
    .describe(
      'Hash schemes that this server stores unchanged and can check logins against. Lockstep writes hashes of these schemes only.',
    ),
  exactNamingAttributes: z
    .array(name)
    .default([])
    .describe(
      'Attributes in the DNs of accounts whose values differ by case, because the schema of the server gives them a case-exact rule. All other values are compared without case.',
    ),
  write: z
    .enum(['exop', 'modify'])
    .default('exop')
    .describe(
      'exop (RFC 3062): every server hashes the password. modify: one request instead of three, and a lock is kept in the same step, but OpenLDAP stores the password in clear unless ppolicy_hash_cleartext is on. 389 Directory Server and PingDirectory always hash, so Lockstep always uses modify there.',
    ),
});

export const ldapSettings = ldapFields.superRefine(checkTogether);

export type DirectorySettings = z.infer<z.ZodObject<typeof directorySettings>> &
  Partial<z.infer<z.ZodObject<typeof clientCertificates>>> & {
    readonly userFilter: string;
    readonly attributes: readonly string[];
  };

export type LdapSettings = z.infer<typeof ldapSettings>;
