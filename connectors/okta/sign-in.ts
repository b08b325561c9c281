import { createPrivateKey, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { ConnectorTools } from '../contract';
import { formBytes } from '../http/body';
import type { HttpClient, HttpRequest } from '../http/client';
import { type Credential, clientCredentials, fixedToken, serviceSecret } from '../http/credentials';
import { NotSent } from '../http/failures';
import type { OktaSettings } from './settings';

const TOKEN_PATH = '/oauth2/v1/token';
const SCOPES = 'okta.users.manage okta.users.read okta.policies.read';
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** An API token, or a service app that proves itself with a signed assertion (RFC 7523). */
export function signIn(
  http: HttpClient,
  settings: OktaSettings,
  tools: ConnectorTools,
): Credential {
  const { token, clientId, privateKey } = settings;
  if (token !== undefined) return fixedToken('SSWS', token, tools);
  return clientCredentials(http, async (): Promise<HttpRequest> => {
    const assertion = await assertionOf(clientId ?? '', privateKey ?? '', settings, tools);
    return {
      method: 'POST',
      path: TOKEN_PATH,
      headers: {
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: formBytes({
        grant_type: 'client_credentials',
        scope: SCOPES,
        client_assertion_type: JWT_BEARER,
        client_assertion: assertion,
      }),
    };
  });
}

async function assertionOf(
  clientId: string,
  reference: string,
  { url, keyId }: OktaSettings,
  tools: ConnectorTools,
): Promise<string> {
  const key = keyOf(reference, tools);
  const alg = key.asymmetricKeyType === 'ec' ? 'ES256' : 'RS256';
  return new SignJWT()
    .setProtectedHeader({ alg, ...(keyId !== undefined && { kid: keyId }) })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(`${url}${TOKEN_PATH}`)
    .setIssuedAt()
    .setExpirationTime('5 min')
    .setJti(randomUUID())
    .sign(key);
}

function keyOf(reference: string, tools: ConnectorTools) {
  const secret = serviceSecret(reference, tools);
  try {
    return secret.use((pem) => createPrivateKey(pem));
  } catch {
    throw new NotSent('service_credential_refused', 'malformed');
  } finally {
    secret.destroy();
  }
}
