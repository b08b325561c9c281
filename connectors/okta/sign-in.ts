import { createPrivateKey, type KeyObject, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { Secret } from '../../model/passwords/secret';
import type { ConnectorTools } from '../contract';
import { FORM_TYPE, formBytes } from '../http/body';
import type { HttpClient } from '../http/client';
import {
  type Credential,
  clientCredentials,
  fixedToken,
  KEY_NOT_SUPPORTED,
} from '../http/credentials';
import { NotSent } from '../http/failures';
import type { OktaSettings } from './settings';

const TOKEN_PATH = '/oauth2/v1/token';
const SCOPES = 'okta.users.manage okta.users.read okta.policies.read';
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Returns the credential of the settings: an API token, or a service app that signs assertions (RFC 7523). */
export function signIn(
  http: HttpClient,
  settings: OktaSettings,
  tools: ConnectorTools,
): Credential {
  const { token, privateKey = '' } = settings;
  if (token !== undefined) return fixedToken('SSWS', token, tools);
  return clientCredentials(http, privateKey, tools, async (pem) => ({
    method: 'POST',
    path: TOKEN_PATH,
    headers: { accept: 'application/json', 'content-type': FORM_TYPE },
    body: formBytes({
      grant_type: 'client_credentials',
      scope: SCOPES,
      client_assertion_type: JWT_BEARER,
      client_assertion: await assertionOf(settings, keyIn(pem)),
    }),
  }));
}

function assertionOf({ url, clientId = '', keyId }: OktaSettings, key: KeyObject): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: algorithmFor(key), ...(keyId !== undefined && { kid: keyId }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(`${url}${TOKEN_PATH}`)
    .setIssuedAt()
    .setExpirationTime('5 min')
    .setJti(randomUUID())
    .sign(key);
}

/** Algorithms by the curve of an EC key, in the names of OpenSSL (RFC 7518 §3.4). */
const ecAlgorithms: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

/** Minimum size of an RSA key (RFC 7518 §3.3). */
const LEAST_RSA_BITS = 2048;

/** @throws NotSent if Okta accepts no signature of such a key */
function algorithmFor({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject) {
  const algorithm =
    type === 'ec'
      ? ecAlgorithms[details?.namedCurve ?? '']
      : type === 'rsa' && (details?.modulusLength ?? 0) >= LEAST_RSA_BITS
        ? 'RS256'
        : undefined;
  if (algorithm === undefined) throw new NotSent('service_credential_refused', KEY_NOT_SUPPORTED);
  return algorithm;
}

function keyIn(pem: Secret): KeyObject {
  try {
    return pem.use((bytes) => createPrivateKey(bytes));
  } catch {
    throw new NotSent('service_credential_refused', 'malformed');
  }
}
