import { randomUUID } from 'node:crypto';
import { Attribute, Change, type Entry } from 'ldapts';
import { Secret } from '../../model/passwords/secret';
import type { Finding } from '../contract';
import { accountFilter, accountOptions, type NativeIds, search } from './accounts';
import { NoReply } from './failures';
import { ok, wrong } from './findings';
import type { Link, Reply } from './link';
import { explained } from './read-refusals';
import { classifyWrite } from './refusals';
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
export const mayWrite = async (
  link: Link,
  dn: string,
  attribute: string,
  absent: string,
): Promise<boolean> => !lacksRights(await removal(link, dn, attribute, absent));

function removal(link: Link, dn: string, attribute: string, value: string): Promise<Reply<void>> {
  const change = new Change({
    operation: 'delete',
    modification: new Attribute({ type: attribute, values: [value] }),
  });
  return link.ask((client) => client.modify(dn, change));
}

/**
 * Finds out whether the server refuses every write of an attribute for a reason other than a missing right, in the same
 * way as `mayWrite`.
 * @returns the reason and a remedy, as sentences for an operator; null if it does not
 */
export async function writeRefusal(
  link: Link,
  dn: string,
  attribute: string,
): Promise<string | null> {
  const reply = await removal(link, dn, attribute, randomUUID());
  if (!reply.ok && reply.code === UNKNOWN_ATTRIBUTE)
    return `The server has no attribute ${attribute} (${reply.code}). Correct passwordAttribute.`;
  return refusesWrites(reply);
}

const UNKNOWN_ATTRIBUTE = 17;

/** Returns why the server refuses writes as such, as sentences for an operator. Null if the reply shows no such reason. */
export function refusesWrites(reply: Reply<unknown>): string | null {
  if (reply.ok) return null;
  const { code } = reply;
  if (code === 8 || code === 13)
    return `The server requires a connection with stronger encryption for a write (${code}). Compare the security settings of the server with the TLS version and cipher that url leads to.`;
  const answer = classifyWrite(reply, null);
  return answer.result === 'rejected' && answer.reason === 'read_only'
    ? `The server accepts no writes (${code}): it is read-only or a replica. Set url to a server that accepts them.`
    : null;
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
