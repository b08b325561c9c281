import type { ConnectorKind } from '../contract';
import { naming } from './naming';
import type * as Driver from './okta';
import { type OktaSettings, oktaSettings } from './settings';

/** An account is a user. Its name is the login; its native id is the user's id. */
export const okta: ConnectorKind<OktaSettings> = {
  kind: 'okta',
  title: 'Okta',
  settings: oktaSettings,
  secretSettings: ['token', 'privateKey'],
  traits: {
    proof: 'login',
    repeatable: true,
    accepts: ['plaintext'],
    yields: ['plaintext'],
    reportsCurrent: true,
    actions: ['unlock', 'force-change'],
  },
  naming: () => naming,
  declared: ({ proof }) => ({ proof }),
  needs: [
    'An API token of an administrator who may reset passwords, or a service app with such a role and the scopes `okta.users.manage`, `okta.users.read` and `okta.policies.read`. The app must not require DPoP, which Okta switches on for new apps.',
    'Users whose password is in Okta. Lockstep writes no password of a user of Active Directory or LDAP (delegated authentication), of another identity provider, or without a password.',
    'A user is named by login and id, so a renamed user is followed. The owner of the API token is never written.',
    'Okta accepts no password for a user who is locked out, so the change waits. If the password of a user has expired, it is expired again in the next request, so the forced change stays in force.',
    'Each verification is a sign-in in the System Log, and a failed one counts towards a lockout. To avoid them, set `prove` of the source, or `proof: none`.',
  ],
  // The driver is loaded at the first use, because the api reads the registry too and must not load it.
  open: async (settings, tools) => (require('./okta') as typeof Driver).openOkta(settings, tools),
};
