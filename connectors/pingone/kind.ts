import type { ConnectorKind } from '../contract';
import { naming } from './naming';
import type * as Driver from './pingone';
import { pingOneSchemes } from './schemes';
import { type PingOneSettings, pingOneSettings } from './settings';

/** An account is a user of one environment. Its name is the username; its native id is the user's id. */
export const pingOne: ConnectorKind<PingOneSettings> = {
  kind: 'pingone',
  title: 'PingOne',
  settings: pingOneSettings,
  secretSettings: ['clientSecret'],
  traits: {
    proof: 'login',
    repeatable: true,
    accepts: ['plaintext', ...pingOneSchemes],
    yields: [],
    reportsCurrent: true,
    actions: ['unlock', 'force-change'],
  },
  naming: () => naming,
  needs: [
    'A worker application with the role Identity Data Admin for the populations, and with `CLIENT_SECRET_BASIC` at the token endpoint.',
    'Users whose password is in PingOne. Lockstep writes no password of a user of a gateway, of another identity provider, or without a password.',
    'PingOne exposes no passwords, so captures cannot come from it.',
    'A hash of one of these schemes is stored unchanged. PingOne does not check it against its policy, and it cannot be verified.',
    'A new password would unlock a password that is locked out, so the change waits until the lock ends. A forced change stays in force.',
    'PingOne always rejects the current password as a new one. To distinguish this from its history rule, Lockstep then checks the password; a wrong one counts towards a lockout.',
  ],
  // The driver is loaded at the first use, because the api reads the registry too and must not load it.
  open: async (settings, tools) =>
    (require('./pingone') as typeof Driver).openPingOne(settings, tools),
};
