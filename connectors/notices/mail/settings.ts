import { z } from 'zod';
import { secretReference } from '../../../model/configuration/document';
import { mailAddress } from '../../../model/notices/mail-address';

const reference = z.string().regex(secretReference, 'give ${file:…} or ${env:…}');

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/** One line of text, because a line end would begin another header. */
const line = z.string().regex(/^\P{Cc}{1,200}$/u, 'use one line of at most 200 characters');

export const mailSettings = z
  .strictObject({
    host: z
      .union([z.hostname(), z.ipv4(), z.ipv6()])
      .describe('The mail server (SMTP submission).'),
    port: z.int().min(1).max(65535).default(587).describe('Its port.'),
    tls: z
      .enum(['starttls', 'tls', 'none'])
      .default('starttls')
      .describe(
        'starttls: the connection must switch to TLS. tls: TLS from the first byte, usually port 465. none: no TLS, for a server on loopback only.',
      ),
    ca: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File with the certificates (PEM) of the authorities to trust instead of the public ones.',
      ),
    serverName: z
      .hostname()
      .optional()
      .describe('Name in the certificate of the server, if it is not the host.'),
    user: line.optional().describe('User name, for a server that requires a login.'),
    password: reference.optional().describe('Password of that user.'),
    from: mailAddress.describe('Sender address.'),
    fromName: line.default('Lockstep').describe('Name of the sender.'),
    addressAttribute: z
      .string()
      .min(1)
      .default('mail')
      .describe(
        'Attribute of the person with their mail address. Values that it had within the last 30 days get the notices, too.',
      ),
    to: z.array(mailAddress).max(20).default([]).describe('Addresses of the operators.'),
    contact: line
      .optional()
      .describe(
        'Whom a person asks for help, in the language of the channel: the help desk (4711).',
      ),
    timeoutMs: z
      .int()
      .min(100)
      .max(60_000)
      .default(20_000)
      .describe('Time limit for each step of the delivery, in milliseconds.'),
  })
  .refine(({ tls, host }) => tls !== 'none' || LOOPBACK.test(host), {
    path: ['tls'],
    error: 'use starttls or tls: only a server on loopback may be used without TLS',
  })
  .refine(({ user, password }) => (user === undefined) === (password === undefined), {
    path: ['password'],
    error: 'give user and password together',
  });

export type MailSettings = z.infer<typeof mailSettings>;
