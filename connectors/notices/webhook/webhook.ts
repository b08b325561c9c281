import { type NoticeKind, noticeKinds } from '../../../model/notices/kinds';
import type { Secret } from '../../../model/passwords/secret';
import { openHttp } from '../../http/client';
import { serviceSecret } from '../../http/credentials';
import { NotSent } from '../../http/failures';
import { signatureHeaders } from '../../webhook/sign';
import type { NoticeSender, NoticeTools, OutgoingNotice } from '../contract';
import { post } from '../post';
import type { WebhookSettings } from './settings';

export function openWebhook(settings: WebhookSettings, tools: NoticeTools): NoticeSender {
  const { origin, pathname } = new URL(settings.url);
  const http = openHttp(origin, { ...settings, poolSize: 4 });
  return {
    async send(notice) {
      const body = Buffer.from(JSON.stringify(eventOf(notice)));
      try {
        const signed = signedHeaders(body, settings, tools, notice.id);
        const headers = { 'content-type': 'application/json', ...signed };
        return await post(http, { path: pathname, headers, body });
      } catch (error) {
        if (!(error instanceof NotSent)) throw error;
        return { result: 'retry', reason: 'credential_refused', afterMs: null };
      }
    },
    close: () => http.close(),
  };
}

/** The signatures by the secret and the one before it. @throws NotSent when one cannot be read or is too short */
function signedHeaders(
  body: Buffer,
  { secret, previousSecret }: WebhookSettings,
  tools: NoticeTools,
  id: string,
): Readonly<Record<string, string>> {
  const secrets: Secret[] = [];
  try {
    for (const reference of [secret, previousSecret])
      if (reference !== undefined) secrets.push(serviceSecret(reference, tools));
    return signatureHeaders(body, secrets, id, Date.now());
  } finally {
    for (const read of secrets) read.destroy();
  }
}

/** The body: `type`, `timestamp` and `data`, as Standard Webhooks recommends. */
function eventOf({ kind, facts, text, person }: OutgoingNotice): object {
  return {
    type: noticeKinds[kind].event,
    timestamp: facts.at.toISOString(),
    data: {
      ...(person === null ? {} : { person: { id: person.id, name: person.name } }),
      ...(facts.changeId === null ? {} : { change: facts.changeId }),
      ...(facts.subject === null ? {} : { [subjectName(kind)]: facts.subject }),
      ...(facts.about === null ? {} : { about: facts.about }),
      ...(facts.sources.length === 0 ? {} : { sources: facts.sources }),
      ...(facts.reminder ? { reminder: true } : {}),
      title: text.subject,
      text: text.paragraphs.join(' '),
    },
  };
}

/** What the subject of a notice is: `source`, `relay`, `key` or `channel`. */
function subjectName(kind: NoticeKind): string {
  if (kind.startsWith('relay_')) return 'relay';
  if (kind === 'test') return 'channel';
  return kind === 'key_ending' || kind === 'master_key_unsaved' ? 'key' : 'source';
}
