import type { ConnectorKind } from '../contract';
import { dnNaming, serviceAccountOf } from './naming';
import type * as Driver from './open';
import { directorySchemes } from './schemes';
import { type LdapSettings, ldapSettings } from './settings';

export const ldap: ConnectorKind<LdapSettings> = {
  kind: 'ldap',
  title: 'OpenLDAP, 389 Directory Server, PingDirectory and other LDAPv3 directories',
  settings: ldapSettings,
  secretSettings: ['bindPassword', 'clientKey'],
  traits: {
    proof: 'login',
    repeatable: true,
    accepts: ['plaintext', ...directorySchemes],
    yields: ['plaintext', 'hash'],
    reportsCurrent: true,
    actions: ['unlock', 'force-change'],
  },
  declared: ({ hashes }) => ({ accepts: ['plaintext', ...hashes] }),
  naming: ({ exactNamingAttributes }) => dnNaming(exactNamingAttributes),
  system: 'directory',
  signsInAs: ({ bindDn }) => serviceAccountOf(bindDn),
  needs: [
    'TLS with a certificate that can be checked. `ldap://` is accepted only with `startTls`.',
    'A dedicated service account that may read below `base` and write `userPassword`. Do not use an account that bypasses the password policy: the rootdn or Directory Manager, an account with `manage` on OpenLDAP, or one in `passwordAdminDN` on 389 Directory Server.',
    'OpenLDAP: `=cw` on `userPassword`, write rights on `pwdAccountLockedTime` and `pwdReset` (so that a lock can be kept), and `limits … size=unlimited` for refreshes. With `write: exop` (RFC 3062) every server hashes the password, in three requests. `write: modify` needs one request and keeps a lock in the same step, but requires `ppolicy_hash_cleartext`.',
    '389 Directory Server: an aci to write `userPassword`, `passwordRetryCount` and `passwordExpirationTime` (so that a lock and a forced change can be restored), `nsSizeLimit: -1` for refreshes, and an aci on `cn=config` to read `password*` for the password policy.',
    'PingDirectory: the privileges `password-reset` and `permit-verify-password-request`. With the second one a password is verified without a login. The password of a locked account is written when the lock has ended.',
    'A hash that comes from another system is stored unchanged if `hashes` lists its scheme, and is verified by comparing it with the stored one; on OpenLDAP `=cw` is enough for that. OpenLDAP with `pwdCheckQuality: 2` accepts hashes only from an account that may `manage` `userPassword`. 389 Directory Server needs `nsslapd-allow-hashed-passwords: on`, does not support `argon2`, and replaces a hash by its own at the next login unless `nsslapd-enable-upgrade-hash` is off. PingDirectory needs `allow-pre-encoded-passwords`.',
    'Users whose password is in the directory. Lockstep writes no password of an account whose `userPassword` refers to another system (`{SASL}`, `{KERBEROS}`, `{RADIUS}`, `{UNIX}`). An account whose hash is locked as in shadow(5) (`{CRYPT}!…`) is not written either, because that would unlock it. Lockstep recognizes such accounts only if the service account may read `userPassword` (`=crw` on OpenLDAP), which also shows it the hashes. Otherwise exclude such accounts with `userFilter`.',
    'The right to read `entryUUID` (or `nsUniqueId`, on 389 Directory Server without entryUUIDs). Lockstep names an account by its DN, in any spelling, and by this id: it follows a renamed account, and refuses another entry that has got the DN. The entry of the service account is never written.',
    'A locked or disabled account stays locked or disabled, and a forced change stays in force. The server itself resets its count of failed logins with each new password.',
  ],
  // The driver is loaded at the first use, because the api reads the registry too and must not load it.
  open: async (settings, tools) => (require('./open') as typeof Driver).openLdap(settings, tools),
};
