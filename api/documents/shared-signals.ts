import type { RequestHandler } from 'express';
import { readEventKeys } from '../../store/notices/event-keys';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';

/**
 * What a receiver of security events needs of the transmitter: its configuration (OpenID Shared Signals 1.0 §7.1) and
 * its public keys. Both are public; neither exists before a worker has published a key, or without a public URL.
 */
export const sharedSignals = (
  deps: Dependencies,
): readonly { readonly path: string; readonly send: RequestHandler[] }[] => [
  {
    path: '/.well-known/ssf-configuration',
    send: [
      async (_request, response) => {
        await publicKeys(deps);
        const { publicUrl } = deps.settings;
        if (publicUrl === '') throw new HttpProblem('not_found');
        response.json({
          spec_version: '1_0',
          issuer: publicUrl,
          jwks_uri: `${publicUrl}/ssf/jwks.json`,
          delivery_methods_supported: ['urn:ietf:rfc:8935'],
          default_subjects: 'ALL',
        });
      },
    ],
  },
  {
    path: '/ssf/jwks.json',
    send: [
      async (_request, response) => {
        response.json({ keys: await publicKeys(deps) });
      },
    ],
  },
];

async function publicKeys({ db, settings }: Dependencies): Promise<readonly object[]> {
  const signer = settings.signer();
  const keys = signer === null ? [] : await readEventKeys(db, signer);
  if (keys.length === 0) throw new HttpProblem('not_found');
  return keys.map(({ id, publicKey }) => ({ ...publicKey, kid: id, alg: 'RS256', use: 'sig' }));
}
