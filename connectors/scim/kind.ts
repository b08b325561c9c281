import type { ConnectorKind } from '../contract';
import type * as Driver from './scim';
import { type ScimSettings, scimSettings } from './settings';

/** An account is a User: its userName, and its id as native id. */
export const scim: ConnectorKind<ScimSettings> = {
  kind: 'scim',
  title: 'SCIM 2.0',
  settings: scimSettings,
  secretSettings: ['token'],
  traits: { proof: 'none', repeatable: true, accepts: ['plaintext'], yields: ['plaintext'] },
  needs: [
    'HTTPS with a certificate that can be checked.',
    'A server that takes `PATCH` of the attribute `password` and finds users by a filter (RFC 7644). `PUT` is never used: it would need the whole user, and what it leaves out is lost.',
    'A token that may read users and change them.',
    'SCIM tells nothing of passwords: neither whether one is right, nor when it was changed. A write whose answer was lost is therefore written again.',
  ],
  // Loaded at the first use: the api reads the registry too, and must not load the driver.
  open: async (settings, tools) => (require('./scim') as typeof Driver).openScim(settings, tools),
};
