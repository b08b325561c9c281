import { z } from 'zod';
import { text } from '../../model/api/fields';
import {
  apiKeyCreatedSchema,
  apiKeyRotatedSchema,
  apiKeysSchema,
  keyGroups,
} from '../../model/api/keys';
import { givenScopes, type Scope, scopes } from '../../model/api/scopes';
import { createApiKey, listApiKeys, revokeApiKey, rotateApiKey } from '../../store/api-keys';
import type { Database } from '../../store/database';
import { findIdentity } from '../../store/people/identities';
import { actorOf } from '../http/actor';
import { HttpProblem } from '../http/problem';
import { type Route, route, smallBody } from '../http/route';
import { personName, sourceName } from '../http/schemas';

const DAY_SECONDS = 86_400;

const scopesField = z
  .array(z.enum(givenScopes))
  .min(1)
  .describe(givenScopes.map((scope) => `\`${scope}\`: ${scopes[scope].may}.`).join(' '));

const list = route({
  method: 'get',
  path: '/v1/keys',
  right: 'administer',
  summary: 'List API keys',
  answers: {
    200: {
      says: 'All API keys, without their secrets.',
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

const newKey = z
  .strictObject({
    name: text(100),
    scopes: scopesField,
    groups: keyGroups
      .default(null)
      .describe(
        'Bind the key to these groups. Everything outside them is hidden from it. Null: all groups.',
      ),
    expiresAt: z.iso
      .datetime({ offset: true })
      .transform((at) => new Date(at))
      .nullable()
      .default(null)
      .describe('Null: never. A key with `relay-enrol` ends after a day unless this is earlier.'),
    agent: text(100)
      .nullable()
      .default(null)
      .describe(
        'Who uses the key. Changes name the agent. Required for `help-desk`, so that the audit shows which agent acted.',
      ),
    source: sourceName
      .nullable()
      .default(null)
      .describe(
        'The only source for which a key with `relay-enrol` may register a relay, or a key with `adapter` is its adapter.',
      ),
    identity: personName
      .nullable()
      .default(null)
      .describe(
        'The only person whom a key with `person`, `change-own` or `lookup` may act for. Null for a portal that serves many people.',
      ),
  })
  .superRefine((key, { addIssue }) => {
    for (const { path, message } of problemsOf(key)) addIssue({ code: 'custom', path, message });
  })
  .meta({ id: 'NewKey' });

/** Whether a key with these scopes can act for one person only. */
const isOfOnePerson = (scopes: readonly Scope[]): boolean =>
  scopes.every((scope) => scope === 'person' || scope === 'change-own') ||
  (scopes.length === 1 && scopes[0] === 'lookup');

interface KeyRules {
  readonly scopes: readonly Scope[];
  readonly groups: readonly string[] | null;
  readonly agent: string | null;
  readonly source: string | null;
  readonly identity: string | null;
}

function problemsOf({ scopes: wanted, groups, agent, source, identity }: KeyRules) {
  const global = wanted.find((scope) => !scopes[scope].bindable);
  const ofOneSource = wanted.find((scope) => scope === 'relay-enrol' || scope === 'adapter');
  const rules: readonly [boolean, string, string][] = [
    [
      groups !== null && global !== undefined,
      'groups',
      `a key with the scope ${global} cannot be bound to groups`,
    ],
    [
      wanted.includes('help-desk') && agent === null,
      'agent',
      'name the agent who uses this key of the help desk; each agent needs a key of their own',
    ],
    [
      ofOneSource !== undefined && wanted.length > 1,
      'scopes',
      `${ofOneSource} is of one source; give it alone`,
    ],
    [
      (ofOneSource !== undefined) !== (source !== null),
      'source',
      'give the source with relay-enrol or adapter, and only with these',
    ],
    [
      identity !== null && !isOfOnePerson(wanted),
      'identity',
      'only a key with the scope person, change-own or lookup, and no other, can be bound to a person',
    ],
    [
      identity === null && wanted.includes('lookup'),
      'identity',
      'a key with the scope lookup is bound to the person whose credentials it reads',
    ],
    [
      identity === null && wanted.includes('person'),
      'identity',
      'name the person whom a key with the scope person is for',
    ],
  ];
  return rules.flatMap(([broken, field, message]) => (broken ? [{ path: [field], message }] : []));
}

/** A one-time key waits in a file until it is used, so it ends after a day at the latest. */
function expiryOf({
  scopes: wanted,
  expiresAt,
}: Pick<z.output<typeof newKey>, 'scopes' | 'expiresAt'>): Date | null {
  if (!wanted.includes('relay-enrol')) return expiresAt;
  const latest = new Date(Date.now() + DAY_SECONDS * 1000);
  return expiresAt === null || expiresAt > latest ? latest : expiresAt;
}

const create = route({
  method: 'post',
  path: '/v1/keys',
  right: 'administer',
  summary: 'Create an API key',
  body: smallBody(newKey, {
    helpDesk: {
      name: 'help desk',
      scopes: ['help-desk'],
      groups: ['one-password'],
      agent: 'ada.marsh',
    },
    own: { name: "Ada's own", scopes: ['change-own'], identity: 'ada.marsh' },
    adapter: { name: 'adapter of racf', scopes: ['adapter'], source: 'racf' },
    relay: { name: 'relay of dc1', scopes: ['relay-enrol'], source: 'domain' },
  }),
  answers: {
    201: {
      says: 'The API key. It is shown only once.',
      schema: apiKeyCreatedSchema,
    },
  },
  problems: ['identity_unknown'],
  handle: async ({ db }, { caller, body: { identity, ...body } }) => {
    const identityId = identity === null ? null : await idOf(db, identity);
    const wanted = { ...body, identityId, expiresAt: expiryOf(body) };
    return { status: 201, body: await createApiKey(db, wanted, actorOf(caller)) };
  },
});

async function idOf(db: Database, name: string): Promise<string> {
  const identity = await findIdentity(db, { name });
  if (identity === null) throw new HttpProblem('identity_unknown');
  return identity.id;
}

const rotate = route({
  method: 'post',
  path: '/v1/keys/{id}/rotate',
  right: 'administer',
  summary: 'Rotate an API key',
  description:
    'The key gets a new secret, and keeps its id, its rights and its waiting changes. The previous secret is accepted for a while.',
  params: z.strictObject({ id: text(40) }),
  body: smallBody(
    z
      .strictObject({
        keepSeconds: z
          .int()
          .min(0)
          .max(30 * DAY_SECONDS)
          .default(DAY_SECONDS)
          .describe('How long the previous secret is accepted. 0 after it has leaked.'),
      })
      .optional(),
    { leaked: { keepSeconds: 0 } },
  ),
  answers: {
    200: { says: 'The new key. It is shown only once.', schema: apiKeyRotatedSchema },
  },
  problems: ['not_found'],
  handle: async ({ db }, { caller, params: { id }, body }) => {
    const keepSeconds = body?.keepSeconds ?? DAY_SECONDS;
    const rotated = await rotateApiKey(db, id, keepSeconds, actorOf(caller));
    if (rotated === null) throw new HttpProblem('not_found');
    return { status: 200, body: rotated };
  },
});

const revoke = route({
  method: 'delete',
  path: '/v1/keys/{id}',
  right: 'administer',
  summary: 'Revoke an API key',
  description: 'The key is rejected from the next request on.',
  params: z.strictObject({ id: text(40) }),
  answers: { 204: { says: 'The key is revoked.' } },
  problems: ['not_found'],
  handle: async ({ db }, { caller, params: { id } }) => {
    if (!(await revokeApiKey(db, id, actorOf(caller)))) throw new HttpProblem('not_found');
    return { status: 204 };
  },
});

export const keyRoutes: readonly Route[] = [list, create, rotate, revoke];
