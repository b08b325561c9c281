import type { ConnectorKind } from '../contract';
import type * as Driver from './open';
import { directorySchemes } from './schemes';
import { type LdapSettings, ldapSettings } from './settings';

export const ldap: ConnectorKind<LdapSettings> = {
  kind: 'ldap',
  title: 'OpenLDAP, 389 Directory Server, PingDirectory and other LDAPv3 directories',
  settings: ldapSettings,
  secretSettings: ['bindPassword'],
  traits: {
    proof: 'login',
    repeatable: true,
    accepts: ['plaintext', ...directorySchemes],
    yields: ['plaintext', 'hash'],
  },
  declared: ({ hashes }) => ({ accepts: ['plaintext', ...hashes] }),
  needs: [
    'LDAPS with a certificate that can be checked; `ldap://` and StartTLS are refused.',
    'A service account of its own that may read below `base` and write `userPassword`. Not one that no password policy binds: the rootdn or Directory Manager, `manage` on OpenLDAP, `passwordAdminDN` on 389 Directory Server.',
    'OpenLDAP: `=cw` on `userPassword`, write rights on `pwdAccountLockedTime` and `pwdReset` (so that a lock can be kept), and `limits … size=unlimited` for refreshes. `write: exop` (RFC 3062) lets every server hash the password, in three requests. `write: modify` takes one, and keeps a lock in the same step; it needs `ppolicy_hash_cleartext`.',
    '389 Directory Server: an aci to write `userPassword`, `passwordRetryCount` and `passwordExpirationTime` (so that a lock and a forced change can be given back), `nsSizeLimit: -1` for refreshes, and an aci on `cn=config` to read `password*` for its policy.',
    'PingDirectory: the privileges `password-reset` and `permit-verify-password-request`. With the second one a password is proved without a login. An account that is locked is written when its lock has ended.',
    'Hashes that come from elsewhere are stored as they are where `hashes` says that the server knows their scheme, and are compared with what is stored afterwards: on OpenLDAP `=cw` is enough. Where `pwdCheckQuality` is 2, OpenLDAP takes them only from who may `manage` `userPassword`; 389 Directory Server wants `nsslapd-allow-hashed-passwords: on`, knows no `argon2`, and replaces a hash by its own at the next login unless `nsslapd-enable-upgrade-hash` is off; PingDirectory `allow-pre-encoded-passwords`.',
    'A locked or disabled account stays so, and so does a forced change. Failed logins that the server has counted are forgotten by the server itself with each new password.',
  ],
  // Loaded at the first use: the api reads the registry too, and must not load the driver.
  open: async (settings, tools) => (require('./open') as typeof Driver).openLdap(settings, tools),
};
