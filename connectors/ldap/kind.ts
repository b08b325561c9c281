import type { ConnectorKind } from '../contract';
import type * as Driver from './openldap';
import { directorySchemes } from './schemes';
import { type LdapSettings, ldapSettings } from './settings';

export const ldap: ConnectorKind<LdapSettings> = {
  kind: 'ldap',
  title: 'OpenLDAP and other LDAPv3 directories',
  settings: ldapSettings,
  secretSettings: ['bindPassword'],
  traits: {
    proof: 'login',
    repeatable: true,
    accepts: ['plaintext', ...directorySchemes],
    yields: ['plaintext', 'hash'],
  },
  accepts: ({ hashes }) => ['plaintext', ...hashes],
  needs: [
    'LDAPS with a certificate that can be checked; `ldap://` and StartTLS are refused.',
    'A service account of its own with `=cw` on `userPassword`, read rights below `base`, write rights on `pwdAccountLockedTime` and `pwdReset` (so that a lock can be kept), and `limits … size=unlimited` for refreshes. Not `manage`, and not the rootdn: no password policy binds those.',
    '`write: exop` (RFC 3062) lets every server hash the password, in three requests. `write: modify` takes one, and keeps a lock in the same step; on OpenLDAP it needs `ppolicy_hash_cleartext`.',
    'Hashes that come from elsewhere are stored as they are where `hashes` says that the server knows their scheme, and are compared with what is stored afterwards: `=cw` is enough. Where `pwdCheckQuality` is 2, OpenLDAP takes them only from who may `manage` `userPassword`.',
    'A locked or disabled account stays so, and so does a forced change. Failed logins that the server has counted are forgotten by the server itself with each new password.',
  ],
  // Loaded at the first use: the api reads the registry too, and must not load the driver.
  open: async (settings, tools) =>
    (require('./openldap') as typeof Driver).openLdap(settings, tools),
};
