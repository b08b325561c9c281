import type { Secret } from '../../model/passwords/secret';
import type { ConnectorTools, Finding } from '../contract';
import { serviceLogins } from '../service-logins';
import { tlsProblem } from '../tls-problem';
import { NO_SERVER } from './discovery';
import { NoReply, NotSent } from './failures';
import { ok, warning, wrong } from './findings';
import { type Link, openLink } from './link';
import { type Call, newCall, within } from './pool';
import type { Servers } from './servers';
import type { DirectorySettings } from './settings';
import { START_TLS_REFUSED, START_TLS_UNCLEAR } from './start-tls';
import {
  CLIENT_CERTIFICATE,
  CLIENT_CERTIFICATE_REFUSED,
  CLIENT_KEY,
  type Endpoint,
} from './tls-socket';

/** Logins of the service account of one directory. */
export interface ServiceLogin {
  /** Opens a link and logs in as the service account. @throws NotSent */
  readonly open: (call: Call) => Promise<Link>;
  /** Returns the findings of `lockstep doctor` about connection and login, then those of `rest`. */
  readonly check: (rest: (link: Link) => AsyncIterable<Finding>) => Promise<readonly Finding[]>;
}

type Credentials = Pick<DirectorySettings, 'bindDn' | 'bindPassword' | 'login' | 'clientKey'>;

/** Result codes (RFC 4511 appendix A.1) of a server that is busy, so they say nothing about the password. */
const BUSY = new Set([1, 3, 51, 52, 80]);

export function serviceLogin(
  settings: Credentials,
  servers: Servers,
  tools: ConnectorTools,
): ServiceLogin {
  const logins = serviceLogins(
    (error) => error instanceof NotSent && error.reason === 'service_credential_refused',
    tools.refusedForMs,
  );

  const logIn = async (link: Link, secret: Secret) => {
    const reply = await link.ask((client) =>
      settings.login === 'external'
        ? client.bindSASL('EXTERNAL')
        : client.bind(settings.bindDn, secret.text()),
    );
    if (reply.ok) return;
    const reason = BUSY.has(reply.code) ? 'busy' : 'service_credential_refused';
    throw new NotSent(reason, String(reply.code));
  };

  const logInAtOnce = (link: Link) => {
    const secret = resolved(settings, tools);
    return logins.immediately(secret, () => logIn(link, secret)).finally(() => secret.destroy());
  };

  /** Opens a link to one server and logs in. @throws NotSent */
  const openAt = async (endpoint: Endpoint, secret: Secret, call: Call): Promise<Link> => {
    let link: Link | null = null;
    try {
      const opened = await openLink(endpoint, call.remainingMs());
      link = opened;
      await within(call, opened, () => logins.inTurn(secret, () => logIn(opened, secret)));
      return opened;
    } catch (error) {
      link?.destroy();
      throw error instanceof NoReply ? new NotSent('unreachable', error.vendorCode) : error;
    }
  };

  return {
    async open(call) {
      const secret = resolved(settings, tools);
      try {
        logins.throwIfRefused(secret);
        return await servers.open((endpoint) => openAt(endpoint, secret, call));
      } finally {
        secret.destroy();
      }
    },
    async check(rest) {
      const call = newCall();
      const findings: Finding[] = [];
      let link: Link | null = null;
      try {
        const connect = (endpoint: Endpoint) => openLink(endpoint, call.remainingMs());
        const { link: first, endpoint: current } = await opened(servers, connect);
        const checked = reopening(first, async () => {
          const again = await connect(current);
          await logInAtOnce(again);
          return again;
        });
        link = checked;
        findings.push(ok('tls', `The certificate of ${current.url} is trusted.`));
        findings.push(...(await otherServers(servers, current)));
        await within(call, checked, async () => {
          await logInAtOnce(first);
          findings.push(ok('service-login', `${settings.bindDn} can log in.`));
          for await (const finding of rest(checked)) findings.push(finding);
        });
      } catch (error) {
        findings.push(findingOf(error));
      } finally {
        link?.destroy();
      }
      return findings;
    },
  };
}

/** Opens a link, and returns the server to which it leads. */
async function opened(
  servers: Servers,
  open: (endpoint: Endpoint) => Promise<Link>,
): Promise<{ readonly link: Link; readonly endpoint: Endpoint }> {
  const last: Endpoint[] = [];
  const link = await servers.open((endpoint) => {
    last[0] = endpoint;
    return open(endpoint);
  });
  const [endpoint] = last;
  if (endpoint === undefined) throw new NotSent('unreachable');
  return { link, endpoint };
}

/** A finding for each server that is not in use now. */
const otherServers = (servers: Servers, current: Endpoint): Promise<Finding[]> =>
  Promise.all(
    servers
      .endpoints()
      .filter(({ url }) => url !== current.url)
      .map(async (endpoint) => {
        try {
          (await openLink(endpoint, endpoint.timeoutMs)).destroy();
          return ok('servers', `${endpoint.url} can be reached and its certificate is trusted.`);
        } catch (error) {
          if (!(error instanceof NotSent)) throw error;
          const code = error.vendorCode === null ? '' : ` (${error.vendorCode})`;
          return warning(
            'servers',
            `${endpoint.url} cannot be used${code}. Lockstep uses ${current.url} until it can.`,
          );
        }
      }),
  );

/** A link that is opened again after a refusal that ended it, so that the checks that follow can still run. */
function reopening(first: Link, open: () => Promise<Link>): Link {
  let current = first;
  let closed = false;
  return {
    usable: () => !closed && current.usable(),
    destroy() {
      closed = true;
      current.destroy();
    },
    async ask(request) {
      if (!closed && !current.usable()) current = await open();
      if (closed) current.destroy();
      return current.ask(request);
    },
  };
}

/**
 * Resolves the secret of the service account: its password, or the key of its certificate.
 * @throws NotSent if the reference cannot be resolved
 */
function resolved({ login, clientKey, bindPassword }: Credentials, tools: ConnectorTools): Secret {
  try {
    return tools.resolve((login === 'external' ? clientKey : bindPassword) ?? '');
  } catch {
    throw new NotSent('service_credential_refused', 'unreadable');
  }
}

const advice: Partial<Record<string, readonly [check: string, problem: string, remedy: string]>> = {
  certificate_refused: [
    'tls',
    'The certificate of the server is not trusted',
    'Check ca and serverName.',
  ],
  service_credential_refused: [
    'service-login',
    'The server rejects the service account',
    'Check bindDn and bindPassword, or the certificate with login: external.',
  ],
  busy: ['service-login', 'The server is busy', 'Try again later.'],
};

/** Advice by the code with which the server refused the login (RFC 4511 appendix A.2), or by a code of our own. */
const adviceByCode: typeof advice = {
  [CLIENT_CERTIFICATE]: [
    'tls',
    'The server requires a certificate of the client, and Lockstep has none',
    'Set clientCertificate and clientKey, or let the server accept connections without one (OpenLDAP: TLSVerifyClient never).',
  ],
  [CLIENT_CERTIFICATE_REFUSED]: [
    'tls',
    'The server does not accept the certificate of the client',
    'Check that clientCertificate is valid now, and that the server trusts its authority.',
  ],
  [CLIENT_KEY]: [
    'tls',
    'The certificate of the client or its key cannot be used',
    'Check that both are PEM files that the worker can read, and that the key in clientKey belongs to clientCertificate.',
  ],
  [NO_SERVER]: [
    'servers',
    'DNS has no SRV record of a usable server for the domain in url',
    'Check the SRV records of _ldaps._tcp and _ldap._tcp of the domain. A server whose name is not in the domain is used only if serverName is set.',
  ],
  [START_TLS_REFUSED]: [
    'tls',
    'The server does not offer StartTLS on this port',
    'Enable TLS in the server, or use ldaps:// and its port. Lockstep sends nothing without TLS.',
  ],
  [START_TLS_UNCLEAR]: [
    'tls',
    'The answer to StartTLS is not that of a directory',
    'Check the port in url, and what is between the worker and the server.',
  ],
  7: [
    'service-login',
    'The server does not offer the kind of login that the setting login names',
    'Set login to simple, or let the server accept SASL EXTERNAL.',
  ],
  8: [
    'service-login',
    'The server requires a stronger kind of login',
    'Allow the service account a login by name and password over TLS.',
  ],
  13: [
    'service-login',
    'The server requires a connection with stronger encryption for a login',
    'Compare the security settings of the server (OpenLDAP: security) with the connection of url.',
  ],
  48: [
    'service-login',
    'The server accepts no login by password of the service account',
    'Check that bindDn has a password of its own, and that the server allows a login by name and password.',
  ],
  53: [
    'service-login',
    'The server is unwilling to log in the service account',
    'Check whether the account is disabled or expired, and which logins the server allows.',
  ],
};

function findingOf(error: unknown): Finding {
  const failure = error instanceof NoReply ? new NotSent('unreachable', error.vendorCode) : error;
  if (!(failure instanceof NotSent)) throw error;
  const code = failure.vendorCode === null ? '' : ` (${failure.vendorCode})`;
  const tlsFailed = tlsProblem(failure.vendorCode);
  if (tlsFailed !== null) return wrong('tls', `${tlsFailed.problem}${code}. ${tlsFailed.remedy}`);
  const [check, problem, remedy] = adviceByCode[failure.vendorCode ?? ''] ??
    advice[failure.reason] ?? [
      'connection',
      'The server cannot be reached',
      'Check url, and that the server is running.',
    ];
  return wrong(check, `${problem}${code}. ${remedy}`);
}
