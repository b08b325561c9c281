import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * One attempt to sign in at the identity provider. Everything that protects it follows from one random token in a cookie
 * of the browser, so that the api stores nothing for a visitor who never returns, and any api process can finish it.
 */
export interface Attempt {
  /** The value of the cookie. */
  readonly cookie: string;
  /** The page to which the sign-in leads. */
  readonly to: string;
  /** True if the provider has to ask the user again, unless it did so a moment ago. */
  readonly again: boolean;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export const newAttempt = (to: string, again: boolean): Attempt =>
  attemptOf(randomBytes(32).toString('base64url'), to, again);

/** The attempt of a cookie; null if the value is not one. The state covers the page, so it cannot be exchanged. */
export function readAttempt(cookie: string | null): Attempt | null {
  const [, token, again, page] = /^([\w-]{43})\.([01])\.([\w-]*)$/.exec(cookie ?? '') ?? [];
  if (token === undefined || page === undefined) return null;
  return attemptOf(token, ownPage(Buffer.from(page, 'base64url').toString('utf8')), again === '1');
}

function attemptOf(token: string, to: string, again: boolean): Attempt {
  const derived = (purpose: string) =>
    createHmac('sha256', token).update(`${purpose} ${again} ${to}`).digest('base64url');
  return {
    cookie: `${token}.${again ? 1 : 0}.${Buffer.from(to).toString('base64url')}`,
    to,
    again,
    state: derived('state'),
    nonce: derived('nonce'),
    verifier: derived('verifier'),
  };
}

/** Whether the answer of the provider belongs to the attempt. */
export function isAnswerTo({ state }: Attempt, answered: string | null): boolean {
  const [own, other] = [Buffer.from(state), Buffer.from(answered ?? '')];
  return own.length === other.length && timingSafeEqual(own, other);
}

/** A page of Lockstep to which a sign-in may lead; the first page of the staff for any other address. */
export const ownPage = (wanted: string): string =>
  /^\/(console|me)([/?][\w\-./%~?=&:@+!'()*,;$]*)?$/.test(wanted) ? wanted : '/console';

/** Whether a page is for staff, and not for people. */
export const isForStaff = (page: string): boolean => page.startsWith('/console');
