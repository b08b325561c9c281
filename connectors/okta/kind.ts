import type { ConnectorKind } from '../contract';
import type * as Driver from './okta';
import { type OktaSettings, oktaSettings } from './settings';

/** An account is a user: its login, and its id as native id. */
export const okta: ConnectorKind<OktaSettings> = {
  kind: 'okta',
  title: 'Okta',
  settings: oktaSettings,
  secretSettings: ['token', 'privateKey'],
  traits: { proof: 'login', repeatable: true, accepts: ['plaintext'], yields: ['plaintext'] },
  needs: [
    'An API token of an administrator who may reset passwords, or a service app with the scopes `okta.users.manage`, `okta.users.read` and `okta.policies.read` and such a role. The app must not ask for DPoP, which Okta switches on for new ones.',
    'Users whose password is in Okta. Those of Active Directory or LDAP (delegated authentication), of another identity provider, and those without a password are left out.',
    'Okta takes no password for a user who is locked out: the change waits. A user whose password has expired stays so: the forced change is put back in the next request.',
    'Each proof is a sign-in in the System Log, and a refused one counts towards a lock. Where that is too much, set `prove` of the source, or `proof: none`.',
  ],
  // Loaded at the first use: the api reads the registry too, and must not load the driver.
  open: async (settings, tools) => (require('./okta') as typeof Driver).openOkta(settings, tools),
};
