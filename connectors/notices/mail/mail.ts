import nodemailer from 'nodemailer';
import { Misconfigured } from '../../../config';
import type { DeliveryReason, Sent } from '../../../model/notices/retry';
import { readCertificates } from '../../certificates';
import { serviceSecret } from '../../http/credentials';
import { NotSent } from '../../http/failures';
import type { NoticeSender, NoticeTools, OutgoingNotice } from '../contract';
import { htmlOf, plainOf } from './body';
import type { MailSettings } from './settings';

/** Sends each notice over a connection of its own: notices are rare, and an idle connection would be cut. */
export const openMail = (settings: MailSettings, tools: NoticeTools): NoticeSender => ({
  async send(notice) {
    try {
      await sendMail(settings, tools, notice);
      return { result: 'delivered' };
    } catch (error) {
      return failureOf(error as SmtpError);
    }
  },
  close() {},
});

async function sendMail(
  settings: MailSettings,
  tools: NoticeTools,
  { id, recipient, text, facts }: OutgoingNotice,
): Promise<void> {
  const { from, fromName } = settings;
  const to = recipient ?? '';
  const transport = nodemailer.createTransport(transportOf(settings, tools));
  try {
    await transport.sendMail({
      from: { name: fromName, address: from },
      to: { name: '', address: to },
      envelope: { from, to: [to] },
      subject: text.subject,
      text: plainOf(text),
      html: htmlOf(text),
      date: facts.at,
      messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
      // RFC 3834 §5: no robot answers it.
      headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    });
  } finally {
    transport.close();
  }
}

function transportOf(settings: MailSettings, tools: NoticeTools) {
  const { host, port, tls, ca, serverName, timeoutMs } = settings;
  return {
    host,
    port,
    secure: tls === 'tls',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    tls: {
      minVersion: 'TLSv1.2' as const,
      rejectUnauthorized: true,
      ...(ca === undefined ? {} : { ca: readCertificates(ca) }),
      ...(serverName === undefined ? {} : { servername: serverName }),
    },
    auth: loginOf(settings, tools),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function loginOf({ user, password }: MailSettings, tools: NoticeTools) {
  if (user === undefined || password === undefined) return undefined;
  const secret = serviceSecret(password, tools);
  try {
    return { user, pass: secret.text() };
  } finally {
    secret.destroy();
  }
}

interface SmtpError extends Error {
  readonly code?: string;
  readonly responseCode?: number;
}

/** The command of SMTP at which a delivery failed, by the codes of nodemailer. */
const ofCode: Readonly<Record<string, DeliveryReason>> = {
  EAUTH: 'credential_refused',
  ENOAUTH: 'credential_refused',
  EOAUTH2: 'credential_refused',
  ETLS: 'certificate_refused',
  EREQUIRETLS: 'certificate_refused',
};

/** A message of the server or of TLS is only classified, never passed on: it may quote what was sent. */
function failureOf(error: SmtpError): Sent {
  if (error instanceof NotSent) return retry('credential_refused');
  // The file with the authorities cannot be read.
  if (error instanceof Misconfigured) return retry('certificate_refused');
  const { code = '', responseCode = 0, message } = error;
  const reason = ofCode[code];
  if (reason !== undefined) return retry(reason);
  if (responseCode >= 500)
    return code === 'EENVELOPE'
      ? { result: 'failed', reason: 'address_refused' }
      : { result: 'failed', reason: 'content_refused' };
  if (responseCode >= 400) return retry('receiver_busy');
  if (/certificate|altname|self-signed|\bssl|tls/i.test(message))
    return retry('certificate_refused');
  return retry('receiver_unreachable');
}

const retry = (reason: DeliveryReason): Sent => ({ result: 'retry', reason, afterMs: null });
