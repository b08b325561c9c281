import { z } from 'zod';
import { text } from '../../model/api/fields';
import { apiKeyCreatedSchema, apiKeysSchema, keyGroups } from '../../model/api/keys';
import { createApiKey, listApiKeys, revokeApiKey } from '../../store/api-keys';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';

const scopes = z.array(z.enum(['trigger', 'capture', 'sign-in', 'read', 'admin'])).min(1);
const list = route({
  method: 'get',
  path: '/v1/keys',
  scope: 'admin',
  summary: 'List API keys',
  answers: {
    200: {
      says: 'All of them, without the keys themselves.',
      schema: apiKeysSchema,
    },
  },
  handle: async ({ db }) => {
    const keys = (await listApiKeys(db)).map((key) => ({
      ...key,
      scopes: [...key.scopes],
      groups: key.groups === null ? null : [...key.groups],
    }));
    return { status: 200, body: { keys } };
  },
});

const create = route({
  method: 'post',
  path: '/v1/keys',
  scope: 'admin',
  summary: 'Make an API key',
  body: smallBody(
    z
      .strictObject({
        name: text(100),
        scopes: scopes.describe(
          '`trigger`: start, cancel and retry changes; `capture`: report passwords that were changed in a source; `sign-in`: report sign-ins, and learn whether the password is right; `read`: see changes; `admin`: everything.',
        ),
        groups: keyGroups
          .default(null)
          .describe('Bind the key to groups: all that is outside of them is not there for it.'),
        expiresAt: z.iso
          .datetime({ offset: true })
          .transform((at) => new Date(at))
          .nullable()
          .default(null),
      })
      .refine((key) => key.groups === null || !key.scopes.includes('admin'), {
        path: ['groups'],
        message: 'a key with the scope admin cannot be bound to groups',
      })
      .meta({ id: 'NewKey' }),
    { helpDesk: { name: 'help desk', scopes: ['trigger', 'read'], groups: ['one-password'] } },
  ),
  answers: {
    201: {
      says: 'The key. Nobody can read it again.',
      schema: apiKeyCreatedSchema,
    },
  },
  handle: async ({ db }, { caller, body }) => ({
    status: 201,
    body: await createApiKey(db, body, `api-key:${caller.keyId}`),
  }),
});

const revoke = route({
  method: 'delete',
  path: '/v1/keys/{id}',
  scope: 'admin',
  summary: 'Revoke an API key',
  description: 'From the next request on it is unknown.',
  params: z.strictObject({ id: text(40) }),
  answers: { 204: { says: 'It is revoked.' } },
  problems: ['not_found'],
  handle: async ({ db }, { caller, params: { id } }) => {
    if (!(await revokeApiKey(db, id, `api-key:${caller.keyId}`)))
      throw new HttpProblem('not_found');
    return { status: 204 };
  },
});

export const keyRoutes: readonly Route[] = [list, create, revoke];
