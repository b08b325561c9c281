import type { ConnectorKind } from '../contract';
import type * as Driver from './entra';
import { naming } from './naming';
import { type EntraSettings, entraSettings } from './settings';

/** An account is a user of one tenant. Its name is the userPrincipalName; its native id is the object id. */
export const entra: ConnectorKind<EntraSettings> = {
  kind: 'entra',
  title: 'Microsoft Entra ID',
  settings: entraSettings,
  secretSettings: ['clientSecret'],
  traits: {
    proof: 'none',
    repeatable: true,
    accepts: ['plaintext'],
    yields: [],
    reportsCurrent: true,
    actions: ['force-change'],
  },
  naming: () => naming,
  needs: [
    'An app registration with the application permissions `User.Read.All`, `User-PasswordProfile.ReadWrite.All` and `Domain.Read.All`. To write users with administrator roles, it also needs a directory role.',
    'Users whose password is in Entra ID. Lockstep writes no password of a user who is synchronized from a domain, belongs to a federated domain or is an invited guest. Connect the domain itself instead.',
    'Entra does not show whether a user must change the password. Each write ends a forced change: Lockstep sends `forceChangePasswordNextSignIn: false`, because without it a write can start one.',
    'Entra offers no way to verify a password that does not depend on a second factor. If the reply to a write is lost, the password is therefore written again.',
  ],
  // The driver is loaded at the first use, because the api reads the registry too and must not load it.
  open: async (settings, tools) => (require('./entra') as typeof Driver).openEntra(settings, tools),
};
