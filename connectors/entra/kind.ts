import type { ConnectorKind } from '../contract';
import type * as Driver from './entra';
import { type EntraSettings, entraSettings } from './settings';

/** An account is a user of one tenant: the userPrincipalName, and the object id as native id. */
export const entra: ConnectorKind<EntraSettings> = {
  kind: 'entra',
  title: 'Microsoft Entra ID',
  settings: entraSettings,
  secretSettings: ['clientSecret'],
  traits: { proof: 'none', repeatable: true, accepts: ['plaintext'], yields: [] },
  needs: [
    'An app registration with the application permissions `User.Read.All`, `User-PasswordProfile.ReadWrite.All` and `Domain.Read.All`. For users with administrator roles it needs a directory role besides.',
    'Users whose password is in Entra ID. Those who are synchronized from a domain, those of a federated domain, and invited guests are left out; connect the domain itself instead.',
    'Entra does not tell whether a user has to change the password, and a write ends that: it is told so explicitly, because it could begin it otherwise.',
    'Entra gives no way to prove a password that a second factor would not stop. A write whose answer was lost is therefore written again.',
  ],
  // Loaded at the first use: the api reads the registry too, and must not load the driver.
  open: async (settings, tools) => (require('./entra') as typeof Driver).openEntra(settings, tools),
};
