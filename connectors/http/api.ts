import { HARD_DEADLINE_MS } from '../contract';
import { type Json, jsonBytes } from './body';
import type { HttpClient, HttpReply, HttpRequest } from './client';
import type { Credential } from './credentials';

export interface ApiRequest {
  readonly method: HttpRequest['method'];
  /** Below the address of the API; encoded. */
  readonly path: string;
  readonly content?: { readonly type: string; readonly value: Json };
}

/** An API that Lockstep has signed in to. */
export interface Api {
  /** @throws NotSent | NoReply */
  ask(request: ApiRequest, signal: AbortSignal): Promise<HttpReply>;
  /** Signs in anew with the next request. */
  forget(): void;
}

/** Leaves a margin for what is under way when the time is over. */
const CALL_MS = HARD_DEADLINE_MS - 1_000;

/** The time of one call of the connector, however many requests it takes. */
export const newCall = (): AbortSignal => AbortSignal.timeout(CALL_MS);

/** @param accept the media type of the answers */
export function apiOf(http: HttpClient, credential: Credential, accept: string): Api {
  return {
    forget: () => credential.forget(),
    async ask({ method, path, content }, signal) {
      const type: Record<string, string> =
        content === undefined ? {} : { 'content-type': content.type };
      const body = content === undefined ? undefined : jsonBytes(content.value);
      try {
        for (let first = true; ; first = false) {
          const authorization = await credential.authorization(signal);
          const headers = { accept, ...(authorization !== null && { authorization }), ...type };
          const reply = await http.send({ method, path, headers, ...(body && { body }) }, signal);
          // What is refused for its token was not done, so it is no repeat.
          if (reply.status !== 401 || !first || !credential.refused(authorization)) return reply;
        }
      } finally {
        body?.fill(0);
      }
    },
  };
}
