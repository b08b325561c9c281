import type { Finding, WriteAnswer } from '../contract';
import { tlsProblem } from '../tls-problem';
import { FOREIGN, type HttpFailure } from './answers';
import { PRIVATE_ADDRESS } from './connect';
import { KEY_NOT_SUPPORTED } from './credentials';

const finding =
  (verdict: Finding['verdict']) =>
  (check: string, says: string): Finding => ({ check, verdict, says });

export const ok = finding('ok');
export const warning = finding('warning');
export const wrong = finding('wrong');
export const skipped = finding('skipped');

const tls = ok('tls', 'The connection is encrypted and the certificate is trusted.');

/** Findings for a sign-in that succeeded. @param accounts number of accounts in the first page */
export const connectedFindings = (accounts: number): readonly Finding[] => [
  tls,
  ok('service-login', 'The service account can log in.'),
  accounts > 0
    ? ok('accounts', 'Accounts can be read.')
    : warning('accounts', 'No account can be read. Check the read rights of the service account.'),
];

/** Finding about the right to set passwords. @param answer to a write to an account that does not exist */
export function rightsFinding(answer: WriteAnswer): Finding {
  if (answer.result === 'rejected' && answer.reason === 'no_rights')
    return wrong(
      'rights',
      `The service account may not set passwords (${answer.vendorCode}). Give it the rights that docs/connectors.md lists for this kind.`,
    );
  if (answer.result === 'rejected' && answer.reason === 'no_account')
    return ok(
      'rights',
      'The service account may set passwords: a write to an account that does not exist was rejected only because it does not exist.',
    );
  const code = 'vendorCode' in answer ? answer.vendorCode : answer.result;
  return skipped(
    'rights',
    `Lockstep cannot find out whether the service account may set passwords without setting one (${code}).`,
  );
}

/** Findings for a source from which no account could be read. @param failure why the read failed */
export function unconnectedFindings({ reason, vendorCode }: HttpFailure): readonly Finding[] {
  const code = vendorCode === null ? '' : ` (${vendorCode})`;
  const tlsFailed = tlsProblem(vendorCode);
  if (tlsFailed !== null) return [wrong('tls', `${tlsFailed.problem}${code}. ${tlsFailed.remedy}`)];
  if (reason === 'certificate_refused')
    return [
      wrong(
        'tls',
        `The certificate of the server is not trusted${code}. Check the address, ca and serverName in the settings.`,
      ),
    ];
  if (vendorCode === KEY_NOT_SUPPORTED)
    return [
      wrong(
        'service-login',
        'Lockstep cannot sign in with this private key. Use an RSA key of 2048 bits or more, or an EC key of the curve P-256, P-384 or P-521.',
      ),
    ];
  if (reason === 'service_credential_refused')
    return [
      tls,
      wrong(
        'service-login',
        `The server rejects the service account${code}. Check its credential in the settings.`,
      ),
    ];
  if (reason === 'no_rights')
    return [
      tls,
      wrong(
        'rights',
        `The service account may not read accounts${code}. Give it the right to read them.`,
      ),
    ];
  if (vendorCode === PRIVATE_ADDRESS)
    return [
      wrong(
        'connection',
        'The host name resolves to an address that is not public. If that is intended, add the name or address to allowPrivateAddresses.',
      ),
    ];
  if (vendorCode?.startsWith('redirect_'))
    return [
      wrong(
        'connection',
        `The server redirects to another address${code}. Lockstep follows no redirect, because it would send a password there. Correct the address in the settings.`,
      ),
    ];
  if (vendorCode?.startsWith(FOREIGN))
    return [
      wrong(
        'connection',
        `The reply is no error of this API${code}. Something else answers at this address: check the address, and any proxy in front of the server.`,
      ),
    ];
  return [
    wrong(
      'connection',
      `No account can be read${code}. Check the address, and that this machine can connect to it.`,
    ),
  ];
}
