import type { ConnectorKind } from '../contract';
import type * as Driver from './pingone';
import { pingOneSchemes } from './schemes';
import { type PingOneSettings, pingOneSettings } from './settings';

/** An account is a user of one environment: the username, and the id as native id. */
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
  },
  needs: [
    'A worker application with the role Identity Data Admin for the populations, and with `CLIENT_SECRET_BASIC` at the token endpoint.',
    'Users whose password is in PingOne. Those of a gateway, of another identity provider, and those without a password are left out.',
    'PingOne can only take passwords: it never gives one away, so it is no source of captures.',
    'Hashes of these schemes are stored as they are: PingOne judges none of them by its policy, and nobody can prove them.',
    'A new password would unlock a password that is locked out, so that change waits for the end of the lock. A forced change is kept.',
    'PingOne always refuses the current password as a new one. To tell this from its history, the password is checked; a wrong one counts towards a lock.',
  ],
  // Loaded at the first use: the api reads the registry too, and must not load the driver.
  open: async (settings, tools) =>
    (require('./pingone') as typeof Driver).openPingOne(settings, tools),
};
