import type { ConnectorKind } from '../contract';
import type * as Driver from './active-directory';
import { type ActiveDirectorySettings, activeDirectorySettings } from './settings';

export const activeDirectory: ConnectorKind<ActiveDirectorySettings> = {
  kind: 'active-directory',
  title: 'Active Directory, and Samba as its domain controller',
  settings: activeDirectorySettings,
  secretSettings: ['bindPassword'],
  traits: {
    proof: 'login',
    repeatable: true,
    accepts: ['plaintext'],
    yields: ['plaintext', 'hash'],
  },
  needs: [
    'LDAPS on a domain controller. Give one controller: a proof on another one would meet the replication delay.',
    'A service account with the right to reset passwords (User-Force-Change-Password) and to write `pwdLastSet` below `base`; no more.',
    '`unicodePwd` is reset: complexity and length of the domain apply, history and minimum age do not. Disabled and locked accounts stay so, and so does a forced change.',
    'An agent on the domain controllers may tell of new passwords in plaintext, or as hashes; hashes cannot be written to a domain.',
    'Without the right Unexpire-Password on the domain, a domain controller makes people change the password at their next login; Lockstep takes that back where it may write `pwdLastSet`.',
  ],
  // Loaded at the first use: the api reads the registry too, and must not load the driver.
  open: async (settings, tools) =>
    (require('./active-directory') as typeof Driver).openActiveDirectory(settings, tools),
};
