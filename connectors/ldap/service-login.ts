import type { Secret } from '../../model/passwords/secret';
import type { ConnectorTools, Finding } from '../contract';
import { serviceLogins } from '../service-logins';
import { ok, wrong } from './findings';
import { type Link, NoReply, NotSent, openLink } from './link';
import { type Call, newCall, within } from './pool';
import type { DirectorySettings } from './settings';

/** Logins of the service account of one directory. */
export interface ServiceLogin {
  /** Opens a link and logs in as the service account. @throws NotSent */
  readonly open: (call: Call) => Promise<Link>;
  /** Returns the findings of `lockstep doctor` about connection and login, then those of `rest`. */
  readonly check: (
    rest: (link: Link) => Promise<readonly Finding[]>,
  ) => Promise<readonly Finding[]>;
}

/** Result codes (RFC 4511 appendix A.1) of a server that is busy, so they say nothing about the password. */
const BUSY = new Set([1, 3, 51, 52, 80]);

export function serviceLogin(settings: DirectorySettings, tools: ConnectorTools): ServiceLogin {
  const logins = serviceLogins(
    (error) => error instanceof NotSent && error.reason === 'service_credential_refused',
    tools.refusedForMs,
  );

  const logIn = async (link: Link, secret: Secret) => {
    const reply = await link.ask((client) => client.bind(settings.bindDn, secret.text()));
    if (reply.ok) return;
    const reason = BUSY.has(reply.code) ? 'busy' : 'service_credential_refused';
    throw new NotSent(reason, String(reply.code));
  };

  return {
    async open(call) {
      const secret = resolved(settings, tools);
      let link: Link | null = null;
      try {
        logins.throwIfRefused(secret);
        const opened = await openLink(settings, call.remainingMs());
        link = opened;
        await within(call, opened, () => logins.inTurn(secret, () => logIn(opened, secret)));
        return opened;
      } catch (error) {
        link?.destroy();
        throw error instanceof NoReply ? new NotSent('unreachable') : error;
      } finally {
        secret.destroy();
      }
    },
    async check(rest) {
      const call = newCall();
      const findings: Finding[] = [];
      let link: Link | null = null;
      try {
        const opened = await openLink(settings, call.remainingMs());
        link = opened;
        findings.push(ok('tls', `The certificate of ${settings.url} is trusted.`));
        await within(call, opened, async () => {
          const secret = resolved(settings, tools);
          await logins
            .immediately(secret, () => logIn(opened, secret))
            .finally(() => secret.destroy());
          findings.push(ok('service-login', `${settings.bindDn} can log in.`));
          findings.push(...(await rest(opened)));
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

/** Resolves the password of the service account. @throws NotSent if the reference cannot be resolved */
function resolved(settings: DirectorySettings, tools: ConnectorTools): Secret {
  try {
    return tools.resolve(settings.bindPassword);
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
    'Check bindDn and bindPassword.',
  ],
  busy: ['service-login', 'The server is busy', 'Try again later.'],
};

function findingOf(error: unknown): Finding {
  const failure = error instanceof NoReply ? new NotSent('unreachable') : error;
  if (!(failure instanceof NotSent)) throw error;
  const [check, problem, remedy] = advice[failure.reason] ?? [
    'connection',
    'The server cannot be reached',
    'Check url, and that the server is running.',
  ];
  const code = failure.vendorCode === null ? '' : ` (${failure.vendorCode})`;
  return wrong(check, `${problem}${code}. ${remedy}`);
}
