import { z } from 'zod';
import { HttpProblem } from '../api/http/problem';
import { text } from '../model/api/fields';
import { recordOf, refuse } from './audit';
import { credentialAnswer } from './credential-answer';
import { findCredential } from './find-credential';
import { openCredential } from './master-keys';
import { lookupRoute } from './route';

/** Returns the credential of the person whom the API key is bound to. */
export const ownCredential = lookupRoute({
  method: 'get',
  path: '/v1/credentials/{application}',
  params: z.strictObject({ application: text(200) }),
  query: z.strictObject({
    account: text(1024).optional(),
    refresh: z.stringbool().default(false),
  }),
  handle: async (deps, { caller, params, query }) => {
    const configuration = await deps.reads.configuration();
    const identity = caller.identityId ?? '';
    const found = await findCredential(deps, configuration, {
      ...params,
      ...{ identityId: identity, account: query.account ?? null, initiator: 'person' },
    });
    if ('refused' in found) {
      const asked = { ...params, detail: { identity, via: 'own' } };
      return refuse(deps, caller, asked, found.refused);
    }
    const { application, credential } = found;
    if (credential.fromMemory && query.refresh) throw new HttpProblem('database_away');
    const secret = await openCredential(deps.keys, credential.value);
    try {
      const detail = { identity, via: 'own', account: credential.value.account };
      const record = recordOf(caller, 'credential.read', params.application, detail);
      await deps.audit.write(record, application.credentialCache && !query.refresh);
      return credentialAnswer(params.application, found, secret);
    } finally {
      secret.destroy();
    }
  },
});
