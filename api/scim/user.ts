import { Secret } from '../../model/passwords/secret';
import { plainName, SCIM_USER, scimBoolean } from '../../model/people/scim-filter';
import type { ScimFields, ScimUser } from '../../store/people/scim-users';
import type { Dependencies } from '../http/dependencies';
import { HttpProblem } from '../http/problem';

/** The attributes that a document or an operation sets. Undefined attributes stay unchanged. */
export interface UserUpdate {
  userName?: string;
  externalId?: string | null;
  /** Null: unassigned. */
  active?: boolean | null;
  password?: Secret;
}

export type Document = Readonly<Record<string, unknown>>;

export const isDocument = (value: unknown): value is Document =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Secret);

const setters: Readonly<Record<string, (update: UserUpdate, value: unknown) => void>> = {
  username: (update, value) => {
    update.userName = userName(value);
  },
  externalid: (update, value) => {
    update.externalId = value === null ? null : textOf(value);
  },
  active: (update, value) => {
    const active = scimBoolean(plain(value));
    if (active === null) throw new HttpProblem('scim_value_invalid');
    update.active = active;
  },
  // Null means "no value" (RFC 7643 §2.5), so there is no new password.
  password: (update, value) => {
    if (value === null) return;
    if (!(value instanceof Secret)) throw new HttpProblem('scim_value_invalid');
    update.password = value;
  },
};

/**
 * Sets one attribute; attributes that Lockstep does not store are ignored.
 * @throws HttpProblem if the value is not valid for the attribute
 */
export function setAttribute(update: UserUpdate, attribute: string, value: unknown): void {
  const name = plainName(attribute);
  if (Object.hasOwn(setters, name)) setters[name]?.(update, value);
}

/** The attributes in a document. Names are case-insensitive, and may be nested below the URN of their schema. */
export function updateIn(document: Document): UserUpdate {
  const update: UserUpdate = {};
  for (const [attribute, value] of Object.entries(document)) {
    const isCore = attribute.toLowerCase() === SCIM_USER.toLowerCase();
    if (isCore && isDocument(value)) Object.assign(update, updateIn(value));
    else setAttribute(update, attribute, value);
  }
  return update;
}

/** A complete user for POST and PUT. Attributes that are not set get their default. */
export function wholeUser({ userName: name, externalId = null, active = true }: UserUpdate) {
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

/**
 * A plain value. Text in an operation arrives as a `Secret` until its path is known; this is for attributes other than the
 * password.
 */
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
    ...(active === null ? {} : { active }),
    meta: {
      resourceType: 'User',
      created: new Date(createdAt).toISOString(),
      lastModified: new Date(updatedAt).toISOString(),
      location: userUrl(deps, source, user),
      version: versionOf(user),
    },
  };
}

interface Selection {
  readonly attributes?: string | undefined;
  readonly excludedAttributes?: string | undefined;
}

/** The requested attributes of a user (RFC 7644 §3.9). `schemas` and `id` are always included. */
export function partOf(whole: Document, { attributes, excludedAttributes }: Selection): Document {
  const named = (list: string) =>
    list.split(',').map((name) => plainName(name.trim()).split('.')[0]);
  const keeps = (name: string): boolean => {
    if (name === 'schemas' || name === 'id') return true;
    if (attributes !== undefined) return named(attributes).includes(name.toLowerCase());
    return !named(excludedAttributes ?? '').includes(name.toLowerCase());
  };
  return Object.fromEntries(Object.entries(whole).filter(([name]) => keeps(name)));
}
