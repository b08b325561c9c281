import type { Finding } from '../contract';
import type { SqlFailure } from './failures';

const tlsOk: Finding = {
  check: 'tls',
  verdict: 'ok',
  says: 'The connection is encrypted and its certificate trusted.',
};
const loginOk: Finding = {
  check: 'service-login',
  verdict: 'ok',
  says: 'The service account may sign in.',
};

export const connectedFindings: readonly Finding[] = [tlsOk, loginOk];

/** @param failure why no connection could be made */
export function unconnectedFindings({ reason, vendorCode }: SqlFailure): readonly Finding[] {
  const code = vendorCode === null ? '' : ` (${vendorCode})`;
  const wrong = (check: string, says: string): Finding => ({ check, verdict: 'wrong', says });
  if (reason === 'certificate_refused')
    return [
      wrong(
        'tls',
        `There is no trusted encryption${code}. Compare ca and serverName with the certificate, and switch TLS on in the server.`,
      ),
    ];
  if (reason === 'service_credential_refused')
    return [
      tlsOk,
      wrong(
        'service-login',
        `The server refuses the service account${code}. Correct user and password.`,
      ),
    ];
  return [
    wrong(
      'connection',
      `No connection can be made${code}. Check host, port and database, and that the server runs.`,
    ),
  ];
}
