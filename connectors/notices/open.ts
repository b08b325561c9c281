import type { Sent } from '../../model/notices/retry';
import type { NoticeSender, NoticeTools, OutgoingNotice } from './contract';
import { channelKinds } from './registry';

/** A channel as the configuration describes it. */
interface ConfiguredChannel {
  readonly kind: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Sends notices over the channels of the configuration. */
export interface NoticeChannels {
  /** Makes one attempt to send a notice over a channel. */
  send(name: string, channel: ConfiguredChannel, notice: OutgoingNotice): Promise<Sent>;
  close(): void;
}

/** Opens each channel at its first notice, keeps it, and opens it again when its settings change. */
export function openNoticeChannels(tools: NoticeTools): NoticeChannels {
  const open = new Map<string, { readonly settings: string; readonly sender: NoticeSender }>();
  const senderOf = (name: string, { kind, settings }: ConfiguredChannel): NoticeSender | null => {
    const wanted = JSON.stringify([kind, settings]);
    const current = open.get(name);
    if (current?.settings === wanted) return current.sender;
    current?.sender.close();
    const sender = channelKinds.get(kind)?.open(settings, tools) ?? null;
    if (sender !== null) open.set(name, { settings: wanted, sender });
    return sender;
  };
  return {
    async send(name, channel, notice) {
      const sender = senderOf(name, channel);
      return sender === null
        ? { result: 'failed', reason: 'channel_removed' }
        : sender.send(notice);
    },
    close() {
      for (const { sender } of open.values()) sender.close();
      open.clear();
    },
  };
}
