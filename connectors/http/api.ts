import { timeLimit } from '../../time-limit';
import { HARD_DEADLINE_MS } from '../contract';
import { type Classify, isForeign, valueIn } from './answers';
import { type Json, jsonBytes } from './body';
import type { HttpClient, HttpRequest } from './client';
import type { Credential } from './credentials';
import type { Success } from './success';

export interface ApiRequest<T> {
  readonly method: HttpRequest['method'];
  /** Path below the address of the API, percent-encoded. */
  readonly path: string;
  readonly content?: { readonly type: string; readonly value: Json };
  /** The documented success responses. Any other reply is a failure. */
  readonly success: Success<T>;
  /** Translates the vendor's code in a refusal of this request. Default: the table of the API. */
  readonly classify?: Classify;
}

/** An API that Lockstep has signed in to. */
export interface Api {
  /**
   * Sends a request with the service credential, and returns the value of the documented success response. After a 401
   * it signs in again, once.
   * @throws NotSent | NoReply | HttpRefused
   */
  ask<T>(request: ApiRequest<T>, signal: AbortSignal): Promise<T>;
  /** Makes the next request sign in again. */
  forget(): void;
}

/** Leaves a margin for a request that is under way when the time is over. */
const CALL_MS = HARD_DEADLINE_MS - 1_000;

/** Signal that aborts when the time of one call of the connector is over. All requests of the call share it. */
export const newCall = (): AbortSignal => timeLimit(CALL_MS);

/**
 * Creates an API client.
 * @param accept media type of the replies
 * @param table translates the vendor's codes
 */
export function apiOf(
  http: HttpClient,
  credential: Credential,
  accept: string,
  table: Classify,
): Api {
  return {
    forget: () => credential.forget(),
    async ask({ method, path, content, success, classify = table }, signal) {
      const type: Record<string, string> =
        content === undefined ? {} : { 'content-type': content.type };
      const body = content === undefined ? undefined : jsonBytes(content.value);
      try {
        for (let first = true; ; first = false) {
          const authorization = await credential.authorization(signal);
          const headers = { accept, ...(authorization !== null && { authorization }), ...type };
          const reply = await http.send({ method, path, headers, ...(body && { body }) }, signal);
          // A request that was refused for its token was not carried out, so it may be sent again.
          const refused = reply.status === 401 && !isForeign(reply, classify);
          if (!refused || !first || !credential.refused(authorization))
            return valueIn(reply, success, classify);
        }
      } finally {
        body?.fill(0);
      }
    },
  };
}
