import type { ConnectorKind } from '../contract';
import { traitsBy } from '../wire/settings';
import { type WebhookSettings, webhookSettings } from './settings';
import type * as Driver from './webhook';

/** A service of somebody else: the contract in JSON, by HTTPS. */
export const webhook: ConnectorKind<WebhookSettings> = {
  kind: 'webhook',
  title: 'Any target, by a service of yours',
  settings: webhookSettings,
  secretSettings: ['signingSecret', 'token'],
  traits: {
    proof: 'none',
    repeatable: false,
    accepts: ['plaintext'],
    yields: ['plaintext', 'hash'],
  },
  declared: traitsBy,
  needs: [
    'A service that keeps the contract of [your-own-connector.md](your-own-connector.md). `lockstep connector test` tells whether it does.',
    'HTTPS with a certificate that can be checked. Redirects are not followed.',
    'It checks the signature of each request, or the token, and refuses what is older than five minutes or has an id that it has seen.',
    'Its public key, so that requests are sealed to it; or `clearInsideTls`, where TLS ends at the service itself.',
  ],
  // Loaded at the first use: the api reads the registry too, and must not load the driver.
  open: async (settings, tools) =>
    (require('./webhook') as typeof Driver).openWebhook(settings, tools),
};
