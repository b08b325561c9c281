import type { ConnectorKind } from '../contract';
import { naming } from './naming';
import type * as Driver from './scim';
import { type ScimSettings, scimSettings } from './settings';

/** An account is a User. Its name is the userName; its native id is the id. */
export const scim: ConnectorKind<ScimSettings> = {
  kind: 'scim',
  title: 'SCIM 2.0',
  settings: scimSettings,
  secretSettings: ['token'],
  traits: {
    proof: 'none',
    repeatable: true,
    accepts: ['plaintext'],
    yields: ['plaintext'],
    reportsCurrent: true,
    actions: [],
  },
  naming: () => naming,
  needs: [
    'HTTPS with a certificate that can be checked.',
    'A server that supports `PATCH` of the attribute `password` and finds users by a filter (RFC 7644). Lockstep never uses `PUT`: it replaces the whole user, and attributes that the request omits are lost.',
    'A token that may read and change users.',
    'An `id` that is a UUID shows that a user was renamed, so a write by it needs no other request. Any other `id` may be used again, so it must agree together with the `userName`.',
    'The user of the token, if `/Me` shows one, is never written.',
    'A reply to a write that is not the User with the requested id (200) or empty (204) counts as no reply.',
    'SCIM exposes neither whether a password is right nor when it was changed. If the reply to a write is lost, the password is therefore written again.',
  ],
  // The driver is loaded at the first use, because the api reads the registry too and must not load it.
  open: async (settings, tools) => (require('./scim') as typeof Driver).openScim(settings, tools),
};
