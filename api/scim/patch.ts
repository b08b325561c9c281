import { plainName } from '../../model/people/scim-filter';
import { HttpProblem } from '../http/problem';
import { type Document, isDocument, setAttribute, type UserUpdate, updateIn } from './user';

/**
 * Combines the operations of a PATCH (RFC 7644 §3.5.2) into one update; later operations win. Providers write operations
 * differently: with a path or with a document as the value, and `op` in any case. Paths to attributes that Lockstep does
 * not store are accepted without effect.
 * @throws HttpProblem if an operation is not valid; nothing is changed then
 */
export function updateFromOperations(body: Document): UserUpdate {
  const operations = member(body, 'operations');
  if (!Array.isArray(operations) || operations.length === 0)
    throw new HttpProblem('request_invalid');
  const update: UserUpdate = {};
  for (const operation of operations) applyOperation(update, operation);
  return update;
}

function applyOperation(update: UserUpdate, operation: unknown): void {
  if (!isDocument(operation)) throw new HttpProblem('request_invalid');
  const op = String(member(operation, 'op')).toLowerCase();
  const path = member(operation, 'path');
  const value = member(operation, 'value');
  if (!['add', 'replace', 'remove'].includes(op)) throw new HttpProblem('request_invalid');
  if (path !== undefined && path !== null && !(typeof path === 'string' && PATH.test(path)))
    throw new HttpProblem('scim_path_invalid');
  if (op === 'remove') remove(update, path);
  else if (typeof path === 'string' && value !== undefined) setAttribute(update, path, value);
  else if (isDocument(value)) Object.assign(update, updateIn(value));
  else throw new HttpProblem('scim_value_invalid');
}

/** Unassigns an attribute (RFC 7644 §3.5.2.2). Removing the password is ignored: there is no new password to write. */
function remove(update: UserUpdate, path: unknown): void {
  if (typeof path !== 'string') throw new HttpProblem('scim_no_target');
  const name = plainName(path);
  if (name === 'active') update.active = null;
  else if (name !== 'password') setAttribute(update, path, null);
}

/** A path such as `password`, `name.givenName` or `emails[type eq "work"].value`, with or without a schema prefix. */
const PATH = /^(?:urn:[\w.:-]+:)?[a-z$][\w$-]*(?:\[[^\]]+\])?(?:\.[a-z$][\w$-]*)?$/i;

/** Finds a member by its lower-case name. Names are case-insensitive (RFC 7643 §2.1). */
const member = (document: Document, name: string): unknown =>
  Object.entries(document).find(([key]) => key.toLowerCase() === name)?.[1];

/**
 * Whether a string in a SCIM body may be a password: in an attribute of that name, or anywhere in the value of an
 * operation, whose path may follow later in the body.
 */
export const mayBePassword = (names: readonly string[]): boolean => {
  const lower = names.map((name) => name.toLowerCase());
  return (
    lower.some((name) => name === 'password' || name.endsWith(':password')) ||
    (lower[0] === 'operations' && lower[1] === 'value')
  );
};
