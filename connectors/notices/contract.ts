import type { z } from 'zod';
import type { NoticeFacts, NoticeText } from '../../model/notices/facts';
import type { Audience, NoticeKind } from '../../model/notices/kinds';
import type { Sent } from '../../model/notices/retry';
import type { Secret } from '../../model/passwords/secret';

/** A notice on its way to one destination. It holds no password and no hash, and only the mail of a one-time link
 * holds a link. */
export interface OutgoingNotice {
  /** The id of the delivery, which is the same at each attempt, so that a receiver recognizes a repeat. */
  readonly id: string;
  readonly kind: NoticeKind;
  /** The mail address; null for a receiver that the settings name. */
  readonly recipient: string | null;
  readonly facts: NoticeFacts;
  readonly text: NoticeText;
  /** The person that the notice is about; null for a notice to operators. */
  readonly person: {
    readonly id: string;
    readonly name: string;
    readonly attributes: Readonly<Record<string, string>>;
  } | null;
  /** Who started the change, where that is known. */
  readonly startedBy: 'user' | 'admin' | null;
}

/** One kind of channel. Its file loads no driver, because the api reads the settings too. */
export interface NoticeChannelKind<Settings> {
  readonly settings: z.ZodType<Settings>;
  /** Names of the settings that refer to a secret. */
  readonly secretSettings: readonly (keyof Settings & string)[];
  /** For whom a channel with these settings can be. */
  readonly serves: (settings: Settings) => readonly Audience[];
  readonly open: (settings: Settings, tools: NoticeTools) => NoticeSender;
}

export interface NoticeSender {
  /** Makes one attempt. It never throws for a reason that lies with the receiver. */
  send(notice: OutgoingNotice): Promise<Sent>;
  close(): void;
}

export interface NoticeTools {
  /** Resolves `${file:…}` or `${env:…}`. It is called at each attempt, so that a rotated secret is used at once. */
  readonly resolve: (reference: string) => Secret;
  /** The public URL of the api, which names the issuer of security events; null when none is set. */
  readonly issuer: string | null;
  /** Signs the claims of a security event with the key of the worker. @returns a compact JWS */
  readonly signEvent: (claims: Readonly<Record<string, unknown>>) => Promise<string>;
}
