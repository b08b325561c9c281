import { newCall } from '../../http/api';
import { openHttp } from '../../http/client';
import { fixedToken } from '../../http/credentials';
import { NotSent } from '../../http/failures';
import type { NoticeSender, NoticeTools, OutgoingNotice } from '../contract';
import { post } from '../post';
import { claimsOf } from './event';
import type { CaepSettings } from './settings';

/** Transmits security events by push (RFC 8935). */
export function openCaep(settings: CaepSettings, tools: NoticeTools): NoticeSender {
  const { origin, pathname } = new URL(settings.url);
  const http = openHttp(origin, { ...settings, poolSize: 4 });
  const token = settings.token;
  const bearer = token === undefined ? null : fixedToken('Bearer', token, tools);

  const send = async (notice: OutgoingNotice, issuer: string) => {
    const claims = claimsOf(notice, settings, issuer);
    if (claims === null) return { result: 'failed', reason: 'no_address' } as const;
    const authorization = (await bearer?.authorization(newCall())) ?? null;
    const headers = {
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      ...(authorization === null ? {} : { authorization }),
    };
    const body = Buffer.from(await tools.signEvent(claims));
    return post(http, { path: pathname, headers, body });
  };
  return {
    async send(notice) {
      if (tools.issuer === null) return { result: 'retry', reason: 'no_issuer', afterMs: null };
      try {
        return await send(notice, tools.issuer);
      } catch (error) {
        if (!(error instanceof NotSent)) throw error;
        return { result: 'retry', reason: 'credential_refused', afterMs: null };
      }
    },
    close: () => http.close(),
  };
}
