import type { NoticeChannelKind } from '../contract';
import type * as Driver from './mail';
import { type MailSettings, mailSettings } from './settings';

/** Mail by SMTP, to people and to operators. */
export const mail: NoticeChannelKind<MailSettings> = {
  settings: mailSettings,
  secretSettings: ['password'],
  serves: ({ to }) => (to.length === 0 ? ['people'] : ['people', 'operators']),
  // The driver is loaded at the first use, because the api reads the registry too and must not load it.
  open: (settings, tools) => (require('./mail') as typeof Driver).openMail(settings, tools),
};
