import { randomUUID } from 'node:crypto';
import { Attribute, Change, type Entry } from 'ldapts';
import { Secret } from '../../model/passwords/secret';
import type { Finding } from '../contract';
import { accountFilter, accountOptions, type NativeIds, search } from './accounts';
import { ok, wrong } from './findings';
import { type Link, NoReply, type Reply } from './link';
import { explained } from './read-refusals';
import { sendExop } from './requests';
import type { DirectorySettings } from './settings';

/** RFC 4511 appendix A.1. */
const INSUFFICIENT_RIGHTS = 50;

/**
 * Whether the server rejected a request for lack of rights. A server checks rights before values, so a request with an
 * impossible value is enough to find out.
 */
export const lacksRights = (reply: Reply<unknown>): boolean =>
  !reply.ok && reply.code === INSUFFICIENT_RIGHTS;

/**
 * Finds out whether the service account may write an attribute, by a request to remove a value that the entry does not
 * have. It changes nothing.
 */
export async function mayWrite(
  link: Link,
  dn: string,
  attribute: string,
  absent: string,
): Promise<boolean> {
  const change = new Change({
    operation: 'delete',
    modification: new Attribute({ type: attribute, values: [absent] }),
  });
  return !lacksRights(await link.ask((client) => client.modify(dn, change)));
}

/**
 * Result codes (RFC 4511 appendix A.1) that refuse an extended operation as such: unknown to the server, or not allowed
 * to this login or on this connection.
 */
const REFUSED_OPERATION = new Set([2, 8, 12, 13, INSUFFICIENT_RIGHTS, 53]);

/**
 * Finds out whether the server carries out the password modify operation (RFC 3062) for the service account, by a request
 * for an entry that does not exist. It changes nothing.
 * @returns the result code of the refusal; null if only the entry is missing
 */
export async function exopRefusal(link: Link, base: string): Promise<number | null> {
  const absent = `cn=lockstep-doctor-${randomUUID()},${base}`;
  const password = Secret.fromText(randomUUID());
  const reply = await sendExop(link, absent, password, []).finally(() => password.destroy());
  return !reply.ok && REFUSED_OPERATION.has(reply.code) ? reply.code : null;
}

/** Returns the result of a check. A check without a reply in time does not end the checks that follow. */
export async function answered(check: string, result: Promise<Finding>): Promise<Finding> {
  try {
    return await result;
  } catch (error) {
    if (!(error instanceof NoReply)) throw error;
    return wrong(
      check,
      'The server did not answer this check in time. Raise timeoutMs, or look for the cause in the log of the server.',
    );
  }
}

/** Reads one account below `base` for the checks of `lockstep doctor`. The account is null if none can be read. */
export async function sampleAccount(
  link: Link,
  settings: DirectorySettings,
  ids: NativeIds,
  attributes: readonly string[] = [],
): Promise<{ readonly account: Entry | null; readonly base: Finding }> {
  const { base } = settings;
  const reply = await search(link, base, {
    ...accountOptions({ ids, settings }, attributes),
    filter: accountFilter(settings),
    sizeLimit: 1,
  });
  if (!reply.ok)
    return {
      account: null,
      base: wrong('base', `The service account cannot read ${base}. ${explained(reply)}`),
    };
  const account = reply.value[0] ?? null;
  return account === null
    ? {
        account,
        base: wrong(
          'base',
          `The service account can read no account below ${base}. Check base, userFilter and the read rights.`,
        ),
      }
    : { account, base: ok('base', `The service account can read accounts below ${base}.`) };
}
