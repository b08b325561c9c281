import { randomUUID } from 'node:crypto';
import type { Connector, ConnectorTools, Finding } from '../contract';
import { FOREIGN, UNREAD } from '../http/answers';
import { newCall } from '../http/api';
import { ok, wrong } from '../http/checks';
import { type HttpClient, type HttpReply, openHttp } from '../http/client';
import { anonymous, fixedToken, serviceSecret } from '../http/credentials';
import { NoReply, NotSent } from '../http/failures';
import { retryAfterMs } from '../http/retry-after';
import { isJson } from '../http/success';
import { tlsProblem } from '../tls-problem';
import { type Call, type Lost, noAnswer, openWire, type Reply } from '../wire/connector';
import { namingBy, servedBy } from '../wire/settings';
import { recipientIn, sealed } from './seal';
import type { WebhookSettings } from './settings';
import { signatureHeaders } from './sign';

export function openWebhook(settings: WebhookSettings, tools: ConnectorTools): Connector {
  const http = openHttp(new URL(settings.url).origin, settings);
  return openWire({
    call: callWebhook(http, settings, tools),
    served: servedBy(settings),
    naming: namingBy(settings),
    examine: async () => [],
    answered: [
      ok('tls', 'The connection is encrypted and the certificate is trusted.'),
      ok('service-login', 'The receiver accepts the credential of Lockstep.'),
    ],
    lost: findingOf,
    close: async () => http.close(),
  });
}

function callWebhook(http: HttpClient, settings: WebhookSettings, tools: ConnectorTools): Call {
  const path = new URL(settings.url).pathname;
  return async (request) => {
    try {
      const signal = newCall();
      const { body, type } = await bodyOf(request, settings);
      const headers = {
        accept: 'application/json',
        'content-type': type,
        ...(await credentials(body, settings, tools, signal)),
      };
      return replyOf(await http.send({ method: 'POST', path, headers, body }, signal));
    } catch (error) {
      return lostBy(error);
    }
  };
}

async function bodyOf(
  request: Buffer,
  { recipientKey }: WebhookSettings,
): Promise<{ body: Buffer; type: string }> {
  if (recipientKey === undefined) return { body: request, type: 'application/json' };
  const body = await sealed(request, await recipientIn(recipientKey));
  return { body, type: 'application/jose' };
}

async function credentials(
  body: Buffer,
  { signingSecret, token }: WebhookSettings,
  tools: ConnectorTools,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const bearer = token === undefined ? anonymous : fixedToken('Bearer', token, tools);
  const authorization = await bearer.authorization(signal);
  const bearerHeaders: Record<string, string> = authorization === null ? {} : { authorization };
  if (signingSecret === undefined) return bearerHeaders;
  const secret = serviceSecret(signingSecret, tools);
  try {
    return { ...bearerHeaders, ...signatureHeaders(body, [secret], randomUUID(), Date.now()) };
  } finally {
    secret.destroy();
  }
}

/** Meanings of HTTP statuses other than 200. They come from the web server of the receiver or from a proxy. */
const ofStatus: Readonly<Record<number, Lost['reason']>> = {
  401: 'service_credential_refused',
  403: 'service_credential_refused',
  408: 'busy',
  429: 'throttled',
  502: 'busy',
  503: 'busy',
  504: 'busy',
};

function replyOf(reply: HttpReply): Reply {
  const { status, json } = reply;
  if (status === 200) return isJson(reply) ? { answer: json } : noAnswer('not_json');
  const wait = retryAfterMs(reply, Date.now());
  // The page of a proxy says nothing about the credential, and may have replaced the answer of the receiver.
  const page = status >= 400 && status < 500 && isPage(reply) && !UNREAD.includes(status);
  if (page) return noAnswer(`${FOREIGN}${status}`);
  // A 503 with Retry-After means that nothing was done. Any other 5xx may come from a proxy that has lost the answer.
  const refused = status >= 300 && (status < 500 || (status === 503 && wait !== null));
  const redirect = status >= 300 && status < 400;
  return {
    reason: ofStatus[status] ?? 'unknown',
    vendorCode: `${redirect ? 'redirect_' : ''}${status}`,
    ...(wait !== null && { retryAfterMs: wait }),
    sent: !refused,
  };
}

const isPage = ({ header }: HttpReply): boolean =>
  /^(text\/html|application\/xhtml\+xml)\s*(;|$)/i.test(header('content-type') ?? '');

function lostBy(error: unknown): Lost {
  if (error instanceof NotSent) {
    const { reason, vendorCode, retryAfterMs: wait } = error;
    return { reason, vendorCode, ...(wait !== null && { retryAfterMs: wait }), sent: false };
  }
  if (!(error instanceof NoReply)) throw error;
  return { reason: 'unreachable', vendorCode: error.vendorCode, sent: true };
}

function findingOf({ reason, vendorCode }: Lost): Finding {
  const code = vendorCode === null ? '' : ` (${vendorCode})`;
  const tlsFailed = tlsProblem(vendorCode);
  if (tlsFailed !== null) return wrong('tls', `${tlsFailed.problem}${code}. ${tlsFailed.remedy}`);
  if (reason === 'certificate_refused')
    return wrong(
      'tls',
      `The certificate of the receiver is not trusted${code}. Check url, ca and serverName.`,
    );
  if (reason === 'service_credential_refused')
    return wrong(
      'service-login',
      `The receiver rejects the credential of Lockstep${code}. Check signingSecret, token and the clock of the receiver.`,
    );
  if (vendorCode?.startsWith('key_'))
    return wrong(
      'recipient-key',
      `The file in recipientKey holds no supported public key${code}. Use a JWK or PEM of an elliptic curve, of X25519, or of RSA with 2048 bits or more.`,
    );
  return wrong(
    'answers',
    `The receiver gives no valid answer${code}. Check url, any proxy in front of the receiver and, for a private address, allowPrivateAddresses.`,
  );
}
