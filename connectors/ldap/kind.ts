import type { ConnectorKind } from '../contract';
import type * as Driver from './openldap';
import { type LdapSettings, ldapSettings } from './settings';

export const ldap: ConnectorKind<LdapSettings> = {
  kind: 'ldap',
  title: 'OpenLDAP and other LDAPv3 directories',
  settings: ldapSettings,
  secretSettings: ['bindPassword'],
  traits: { proof: 'login', repeatable: true, accepts: ['plaintext'] },
  // Loaded at the first use: the api reads the registry too, and must not load the driver.
  open: async (settings, tools) =>
    (require('./openldap') as typeof Driver).openLdap(settings, tools),
};
