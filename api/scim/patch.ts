import { plainName } from '../../model/people/scim-filter';
import { HttpProblem } from '../http/problem';
import { type Document, isDocument, type SaidOfUser, saidIn, say } from './user';

/**
 * What the operations of a PATCH (RFC 7644 §3.5.2) say together; the last word counts. Providers write an operation as
 * they like: with a path, or a document as its value, `replace` or `Replace`. Paths to what Lockstep does not keep are
 * taken, and have no effect.
 * @throws HttpProblem, before anything is done
 */
export function saidByOperations(body: Document): SaidOfUser {
  const operations = member(body, 'operations');
  if (!Array.isArray(operations) || operations.length === 0)
    throw new HttpProblem('request_invalid');
  const said: SaidOfUser = {};
  for (const operation of operations) carryOut(said, operation);
  return said;
}

function carryOut(said: SaidOfUser, operation: unknown): void {
  if (!isDocument(operation)) throw new HttpProblem('request_invalid');
  const op = String(member(operation, 'op')).toLowerCase();
  const path = member(operation, 'path');
  const value = member(operation, 'value');
  if (!['add', 'replace', 'remove'].includes(op)) throw new HttpProblem('request_invalid');
  if (path !== undefined && path !== null && !(typeof path === 'string' && PATH.test(path)))
    throw new HttpProblem('scim_path_invalid');
  if (op === 'remove') remove(said, path);
  else if (typeof path === 'string' && value !== undefined) say(said, path, value);
  else if (isDocument(value)) Object.assign(said, saidIn(value));
  else throw new HttpProblem('scim_value_invalid');
}

/** What a user is after something of it was taken away. A password that is taken away is none to carry to others. */
function remove(said: SaidOfUser, path: unknown): void {
  if (typeof path !== 'string') throw new HttpProblem('scim_no_target');
  const name = plainName(path);
  if (name === 'active') say(said, path, true);
  else if (name !== 'password') say(said, path, null);
}

/** `password`, `name.givenName`, `emails[type eq "work"].value`, each with its schema before it or not. */
const PATH = /^(?:urn:[\w.:-]+:)?[a-z$][\w$-]*(?:\[[^\]]+\])?(?:\.[a-z$][\w$-]*)?$/i;

/** Names mean the same in any case (RFC 7643 §2.1). */
const member = (document: Document, name: string): unknown =>
  Object.entries(document).find(([one]) => one.toLowerCase() === name)?.[1];

/**
 * Where a body of SCIM may hold a password: in an attribute of that name, and in whatever is the value of an operation,
 * whose path may come after it.
 */
export const mayBePassword = (names: readonly string[]): boolean => {
  const lower = names.map((name) => name.toLowerCase());
  return (
    lower.some((name) => name === 'password' || name.endsWith(':password')) ||
    (lower[0] === 'operations' && lower[1] === 'value')
  );
};
