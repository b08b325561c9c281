import type { z } from 'zod';
import type { Audience } from '../../model/notices/kinds';
import { caep } from './caep/kind';
import type { NoticeChannelKind, NoticeSender, NoticeTools } from './contract';
import { mail } from './mail/kind';
import { webhook } from './webhook/kind';

/** A kind whose settings are validated again when it is opened, so that callers need not know their type. */
export interface RegisteredChannelKind {
  readonly settings: z.ZodType;
  readonly secretSettings: readonly string[];
  /** For whom a channel with these settings can be; they must be valid. */
  readonly serves: (settings: unknown) => readonly Audience[];
  readonly open: (settings: unknown, tools: NoticeTools) => NoticeSender;
}

const register = <Settings>(kind: NoticeChannelKind<Settings>): RegisteredChannelKind => ({
  ...kind,
  serves: (settings) => kind.serves(kind.settings.parse(settings)),
  open: (settings, tools) => kind.open(kind.settings.parse(settings), tools),
});

/** Every kind of channel by which Lockstep sends notices. Add a line here to register a new one. */
export const channelKinds: ReadonlyMap<string, RegisteredChannelKind> = new Map([
  ['mail', register(mail)],
  ['webhook', register(webhook)],
  ['caep', register(caep)],
]);
