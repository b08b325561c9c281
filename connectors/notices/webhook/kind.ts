import type { NoticeChannelKind } from '../contract';
import { type WebhookSettings, webhookSettings } from './settings';
import type * as Driver from './webhook';

/** A receiver of Standard Webhooks (standardwebhooks.com). */
export const webhook: NoticeChannelKind<WebhookSettings> = {
  settings: webhookSettings,
  secretSettings: ['secret', 'previousSecret'],
  serves: () => ['people', 'operators'],
  open: (settings, tools) => (require('./webhook') as typeof Driver).openWebhook(settings, tools),
};
