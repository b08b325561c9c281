import { errors } from '../../model/errors';
import type { Finding } from '../contract';
import { tlsProblem } from '../tls-problem';
import { codeOf, LOGIN_METHOD, type SqlFailure } from './failures';

const tlsOk: Finding = {
  check: 'tls',
  verdict: 'ok',
  says: 'The connection is encrypted and the certificate is trusted.',
};
const loginOk: Finding = {
  check: 'service-login',
  verdict: 'ok',
  says: 'The service account can log in.',
};

/** Codes of PostgreSQL and MySQL for a database that does not exist. */
const NO_DATABASE: readonly (string | null)[] = ['3D000', '1049'];

export const connectedFindings: readonly Finding[] = [tlsOk, loginOk];

/** Findings for a connection that failed. @param failure why it failed */
export function unconnectedFindings(failure: SqlFailure): readonly Finding[] {
  const { reason, vendorCode } = failure;
  const code = codeOf(failure);
  const wrong = (check: string, says: string): Finding => ({ check, verdict: 'wrong', says });
  const tlsFailed = tlsProblem(vendorCode);
  if (tlsFailed !== null) return [wrong('tls', `${tlsFailed.problem}${code}. ${tlsFailed.remedy}`)];
  if (reason === 'certificate_refused')
    return [
      wrong(
        'tls',
        `The connection is not encrypted, or the certificate is not trusted${code}. Compare ca and serverName with the certificate, and make sure that TLS is on in the server.`,
      ),
    ];
  if (vendorCode?.startsWith(LOGIN_METHOD))
    return [
      tlsOk,
      wrong(
        'service-login',
        `The server requires the login method ${vendorCode.slice(LOGIN_METHOD.length)} of the service account, which Lockstep does not support. Give the service account another one: mysql_native_password (MariaDB) or caching_sha2_password (MySQL).`,
      ),
    ];
  if (reason === 'service_credential_refused')
    return [
      tlsOk,
      wrong(
        'service-login',
        `The server rejects the service account${code}. Correct user and password.`,
      ),
    ];
  if (NO_DATABASE.includes(vendorCode))
    return [
      tlsOk,
      wrong('database', `The database in the settings does not exist${code}. Correct database.`),
    ];
  if (reason === 'lockstep_failed')
    return [tlsOk, loginOk, wrong('lockstep', `${errors.lockstep_failed.says}${code}`)];
  return [
    wrong(
      'connection',
      `The connection failed${code}. Check host, port and database, and that the server is running.`,
    ),
  ];
}
