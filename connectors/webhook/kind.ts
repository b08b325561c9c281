import type { ConnectorKind } from '../contract';
import { namingBy, traitsBy } from '../wire/settings';
import { type WebhookSettings, webhookSettings } from './settings';
import type * as Driver from './webhook';

/** A service of the customer, called by HTTPS. It receives requests and returns answers in JSON. */
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
    reportsCurrent: true,
    actions: [],
  },
  declared: traitsBy,
  naming: namingBy,
  needs: [
    'A service that keeps the contract of [your-own-connector.md](your-own-connector.md). `lockstep connector test` checks that it does.',
    'HTTPS with a certificate that can be checked. Redirects are not followed.',
    'The service checks the signature or the token of each request, and rejects a request that is older than five minutes or repeats an id.',
    'The public key of the service, so that requests can be sealed to it; or `clearInsideTls: true`, if TLS ends at the service itself.',
  ],
  // The driver is loaded at the first use, because the api reads the registry too and must not load it.
  open: async (settings, tools) =>
    (require('./webhook') as typeof Driver).openWebhook(settings, tools),
};
