import type { Finding, WriteAnswer } from '../contract';
import type { HttpFailure } from './answers';
import { PRIVATE_ADDRESS } from './connect';

const finding =
  (verdict: Finding['verdict']) =>
  (check: string, says: string): Finding => ({ check, verdict, says });

export const ok = finding('ok');
export const warning = finding('warning');
export const wrong = finding('wrong');
export const skipped = finding('skipped');

const tls = ok('tls', 'The connection is encrypted and its certificate trusted.');

/** @param accounts how many the first look has shown */
export const connectedFindings = (accounts: number): readonly Finding[] => [
  tls,
  ok('service-login', 'The service account may sign in.'),
  accounts > 0
    ? ok('accounts', 'Accounts can be read.')
    : warning('accounts', 'Not one account can be seen. Check what the service account may read.'),
];

/** @param answer to the write of a password to nobody */
export function rightsFinding(answer: WriteAnswer): Finding {
  if (answer.result === 'rejected' && answer.reason === 'no_rights')
    return wrong(
      'rights',
      `The service account may not set passwords (${answer.vendorCode}). Give it the right that the kind needs.`,
    );
  if (answer.result === 'rejected' && answer.reason === 'no_account')
    return ok('rights', 'A password for an account that does not exist is refused for that alone.');
  const code = 'vendorCode' in answer ? answer.vendorCode : answer.result;
  return skipped(
    'rights',
    `Whether the service account may set passwords cannot be seen without setting one (${code}).`,
  );
}

/** @param failure why no account could be read */
export function unconnectedFindings({ reason, vendorCode }: HttpFailure): readonly Finding[] {
  const code = vendorCode === null ? '' : ` (${vendorCode})`;
  if (reason === 'certificate_refused')
    return [
      wrong(
        'tls',
        `The certificate of the server is not trusted${code}. Check the address, ca and serverName.`,
      ),
    ];
  if (reason === 'service_credential_refused')
    return [
      tls,
      wrong('service-login', `The service account is refused${code}. Check its credential.`),
    ];
  if (reason === 'no_rights')
    return [
      tls,
      wrong('rights', `The service account may not read accounts${code}. Give it that right.`),
    ];
  if (vendorCode === PRIVATE_ADDRESS)
    return [
      wrong(
        'connection',
        'The name leads to an address that is not public. If it is meant, put it into allowPrivateAddresses.',
      ),
    ];
  if (vendorCode?.startsWith('redirect_'))
    return [
      wrong(
        'connection',
        `The server redirects to another address${code}, which Lockstep does not follow: it would send a password there. Give the right one.`,
      ),
    ];
  return [
    wrong(
      'connection',
      `No account can be read${code}. Check the address, and that this machine may connect to it.`,
    ),
  ];
}
