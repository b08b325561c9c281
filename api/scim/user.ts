import { Secret } from '../../model/passwords/secret';
import { plainName, SCIM_USER, scimBoolean } from '../../model/people/scim-filter';
import type { ScimFields, ScimUser } from '../../store/people/scim-users';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';

/** A user as an identity provider writes and reads it. What Lockstep does not keep is taken, and not given back. */

/** What a document or an operation says. Of what is undefined it says nothing. */
export interface SaidOfUser {
  userName?: string;
  externalId?: string | null;
  active?: boolean;
  password?: Secret;
}

export type Document = Readonly<Record<string, unknown>>;

export const isDocument = (value: unknown): value is Document =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Secret);

const setters: Readonly<Record<string, (said: SaidOfUser, value: unknown) => void>> = {
  username: (said, value) => {
    said.userName = userName(value);
  },
  externalid: (said, value) => {
    said.externalId = value === null ? null : textOf(value);
  },
  active: (said, value) => {
    const active = scimBoolean(plain(value));
    if (active === null) throw new HttpProblem('scim_value_invalid');
    said.active = active;
  },
  // Null is "none" (RFC 7643 §2.5), and none is no new one.
  password: (said, value) => {
    if (value === null) return;
    if (!(value instanceof Secret)) throw new HttpProblem('scim_value_invalid');
    said.password = value;
  },
};

/** @throws HttpProblem when the attribute does not take the value */
export function say(said: SaidOfUser, attribute: string, value: unknown): void {
  const name = plainName(attribute);
  if (Object.hasOwn(setters, name)) setters[name]?.(said, value);
}

/** Of a whole document: names mean the same in any case, and some write one with its schema. */
export function saidIn(document: Document): SaidOfUser {
  const said: SaidOfUser = {};
  for (const [attribute, value] of Object.entries(document)) {
    const isCore = attribute.toLowerCase() === SCIM_USER.toLowerCase();
    if (isCore && isDocument(value)) Object.assign(said, saidIn(value));
    else say(said, attribute, value);
  }
  return said;
}

/** A new user, or one that is replaced as a whole: what is not said is as if it had never been. */
export function wholeUser({ userName: name, externalId = null, active = true }: SaidOfUser) {
  if (name === undefined) throw new HttpProblem('scim_value_invalid');
  return { userName: name, externalId, active } satisfies ScimFields;
}

const MAX_LENGTH = 1024;

function textOf(value: unknown): string {
  const text = plain(value);
  if (typeof text !== 'string' || text.length > MAX_LENGTH || text.includes('\0'))
    throw new HttpProblem('scim_value_invalid');
  return text;
}

function userName(value: unknown): string {
  const name = textOf(value);
  if (name === '') throw new HttpProblem('scim_value_invalid');
  return name;
}

/** A text in an operation is taken for a password until its path is known. This was none. */
const plain = (value: unknown): unknown =>
  value instanceof Secret ? value.use((bytes) => bytes.toString('utf8')) : value;

export const versionOf = ({ version }: ScimUser): string => `W/"${version}"`;

export const userUrl = ({ settings }: Dependencies, source: string, { id }: ScimUser): string =>
  `${settings.publicUrl}/scim/v2/${source}/Users/${id}`;

export function userDocument(deps: Dependencies, source: string, user: ScimUser) {
  const { id, userName: name, externalId, active, createdAt, updatedAt } = user;
  return {
    schemas: [SCIM_USER],
    id,
    ...(externalId === null ? {} : { externalId }),
    userName: name,
    active,
    meta: {
      resourceType: 'User',
      created: new Date(createdAt).toISOString(),
      lastModified: new Date(updatedAt).toISOString(),
      location: userUrl(deps, source, user),
      version: versionOf(user),
    },
  };
}

interface Wanted {
  readonly attributes?: string | undefined;
  readonly excludedAttributes?: string | undefined;
}

/** What of it was asked for (RFC 7644 §3.9); who it is, is always told. */
export function partOf(whole: Document, { attributes, excludedAttributes }: Wanted): Document {
  const named = (list: string) =>
    list.split(',').map((name) => plainName(name.trim()).split('.')[0]);
  const keeps = (name: string): boolean => {
    if (name === 'schemas' || name === 'id') return true;
    if (attributes !== undefined) return named(attributes).includes(name.toLowerCase());
    return !named(excludedAttributes ?? '').includes(name.toLowerCase());
  };
  return Object.fromEntries(Object.entries(whole).filter(([name]) => keeps(name)));
}
