import type { ConnectorKind } from '../contract';
import type * as Driver from './active-directory';
import { type ActiveDirectorySettings, activeDirectorySettings } from './settings';

export const activeDirectory: ConnectorKind<ActiveDirectorySettings> = {
  kind: 'active-directory',
  title: 'Active Directory, and Samba as its domain controller',
  settings: activeDirectorySettings,
  secretSettings: ['bindPassword'],
  traits: { proof: 'login', repeatable: true, accepts: ['plaintext'] },
  // Loaded at the first use: the api reads the registry too, and must not load the driver.
  open: async (settings, tools) =>
    (require('./active-directory') as typeof Driver).openActiveDirectory(settings, tools),
};
