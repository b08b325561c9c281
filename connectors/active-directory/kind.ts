import type { ConnectorKind } from '../contract';
import { dnNaming, serviceAccountOf } from '../ldap/naming';
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
    reportsCurrent: false,
    actions: ['unlock', 'force-change'],
  },
  naming: () => dnNaming([]),
  system: 'directory',
  signsInAs: ({ bindDn }) => serviceAccountOf(bindDn),
  needs: [
    'LDAPS on a domain controller. `url` and each of `fallbackUrls` must name a single controller, not a name that leads to several: on another one, the login that verifies a new password would fail until the password is replicated. `ldaps+srv://example.com` finds the controllers by the SRV records of the domain, and `ldaps+srv://berlin._sites.example.com` those of a site.',
    'A service account with the right to reset passwords (User-Force-Change-Password) and to write `pwdLastSet` below `base`, and no other rights. With the right to write `lockoutTime`, the help desk can also unlock accounts.',
    'Lockstep names an account by its DN, in any spelling, and by its objectGUID: it follows a renamed account, and refuses another one that has got the DN. The service account is never written.',
    'Lockstep resets `unicodePwd`. The complexity and length rules of the domain apply; history and minimum age do not. Disabled and locked accounts stay disabled and locked, and a forced change stays in force.',
    'A capture agent on the domain controllers can report new passwords in plaintext or as hashes. Hashes cannot be written to a domain.',
    'If the service account lacks the right Unexpire-Password on the domain, a domain controller forces people to change the new password at their next login. Lockstep reverts that if it may write `pwdLastSet`.',
  ],
  // The driver is loaded at the first use, because the api reads the registry too and must not load it.
  open: async (settings, tools) =>
    (require('./active-directory') as typeof Driver).openActiveDirectory(settings, tools),
};
