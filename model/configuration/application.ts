import { z } from 'zod';
import type { Person } from '../people/correlation';
import { passwordFilterSchema } from '../policy/password-filter';
import { attribute, name } from './names';
import { titleFields } from './titles';

/**
 * How people and accounts meet in an application (reference semantics §1.5):
 * - `individual`: each person has an account of their own;
 * - `group`: the people of a group share the account of one identity;
 * - `host-group`: several accounts of the application belong to one identity.
 */
export const applicationTypes = ['individual', 'group', 'host-group'] as const;
export type ApplicationType = (typeof applicationTypes)[number];

const fieldSchema = z.strictObject({
  name: attribute.describe('The name of the field.'),
  label: z.string().optional().describe('The text that a form shows for the field.'),
  masked: z.boolean().default(false).describe('Whether a form hides what is typed.'),
  synced: z
    .boolean()
    .default(false)
    .describe('Whether the field holds the password that Lockstep keeps up to date.'),
  default: z
    .string()
    .optional()
    .describe('The value of a field that is neither the user id nor the password.'),
});

export type ApplicationField = z.infer<typeof fieldSchema>;

/** People, by their names or by the groups of people that they belong to. */
export const peopleSchema = z.strictObject({
  identities: z.array(z.string().min(1)).default([]),
  groups: z.array(name).default([]),
});

export type People = z.infer<typeof peopleSchema>;

const noPeople: People = { identities: [], groups: [] };

const ticketsSchema = z.strictObject({
  allowed: z.boolean().default(false).describe('Whether tickets are issued and redeemed.'),
  validated: z
    .boolean()
    .default(true)
    .describe('Whether the sender of a ticket must be the person that it was issued to.'),
  timeoutSeconds: z
    .number()
    .int()
    .min(1)
    .max(86_400)
    .optional()
    .describe('The lifetime of a ticket of this application; by default that of `sso`.'),
});

const defaultFields: readonly ApplicationField[] = [
  { name: 'userId', masked: false, synced: false },
  { name: 'password', masked: true, synced: true },
];

export const applicationSchema = z.strictObject({
  source: name.describe('The source whose accounts sign in to the application.'),
  type: z
    .enum(applicationTypes)
    .default('individual')
    .describe(
      'individual: each person has an account of their own. group: the people of a group share one account, see `shared`. host-group: several accounts belong to one person. It cannot be changed later.',
    ),
  label: z
    .string()
    .max(200)
    .optional()
    .describe('The name that people read in every language, if there is no `title`.'),
  ...titleFields,
  fields: z
    .array(fieldSchema)
    .default([...defaultFields])
    .describe(
      'The fields of a credential: the first is the user id, exactly one of the others is `synced`. Each has `name`, `label`, `masked`, `synced` and `default`. They cannot be changed later.',
    ),
  enabled: z.boolean().default(true).describe('When false, its mappings are left unchanged.'),
  passwordFilter: passwordFilterSchema
    .optional()
    .describe(
      'Converts every password for the accounts that are mapped to the application, in place of the filter of the source.',
    ),
  directFrom: name
    .optional()
    .describe(
      'Direct synchronization: the auth source whose new password is stored as the credential at once, while another program changes the application itself.',
    ),
  windowsInitiated: z
    .boolean()
    .default(true)
    .describe('Whether a person can look up the credentials of their account here.'),
  hostInitiated: z
    .boolean()
    .default(false)
    .describe('Whether an account of the application leads to the credentials of its person.'),
  leadsTo: name
    .optional()
    .describe(
      'With `hostInitiated`: the application whose credential of the person is returned, usually that of the directory.',
    ),
  validatePassword: z
    .boolean()
    .default(true)
    .describe('Whether the application must show the right password of that account first.'),
  tickets: ticketsSchema
    .default({ allowed: false, validated: true })
    .describe('Tickets of this application: `allowed`, `validated`, `timeoutSeconds`.'),
  credentialCache: z
    .boolean()
    .default(true)
    .describe('Whether the lookup service may keep credentials in memory.'),
  localAccounts: z
    .boolean()
    .default(false)
    .describe('Whether accounts that exist only on one computer may be mapped.'),
  administratorAccountsSame: z
    .boolean()
    .default(false)
    .describe('Whether the administrators of the application are its users, too.'),
  administrators: peopleSchema
    .default(noPeople)
    .describe('Who administers the application: `identities` by name, and `groups` of people.'),
  users: peopleSchema
    .default(noPeople)
    .describe('Who may use the application: `identities` and `groups`. Empty: everyone.'),
  shared: z
    .array(z.strictObject({ group: name, identity: z.string().min(1) }))
    .default([])
    .describe(
      'Of the type `group`: a list of `group` (of people) and `identity`, whose account these people share. The first group that contains the person counts.',
    ),
});

export type Application = z.infer<typeof applicationSchema>;

/** A group of people: those of this name, and those who have all of these attributes. */
export const peopleGroupSchema = z.strictObject({
  identities: z
    .array(z.string().min(1))
    .default([])
    .describe('The names of people who belong to the group.'),
  attributes: z
    .record(attribute, z.string())
    .default({})
    .describe('Everyone with all of these attributes belongs to the group as well.'),
});

export type PeopleGroup = z.infer<typeof peopleGroupSchema>;

type PeopleGroups = Readonly<Record<string, PeopleGroup>>;

/** True for a person who is named, or who is in one of the groups. */
export const isAmong = (people: People, person: Person, groups: PeopleGroups): boolean =>
  people.identities.includes(person.name) ||
  people.groups.some((group) => isInGroup(group, person, groups));

function isInGroup(group: string, person: Person, groups: PeopleGroups): boolean {
  const found = Object.hasOwn(groups, group) ? groups[group] : undefined;
  if (found === undefined) return false;
  const wanted = Object.entries(found.attributes);
  return (
    found.identities.includes(person.name) ||
    (wanted.length > 0 && wanted.every(([key, value]) => person.attributes[key] === value))
  );
}

export const isAdministrator = (
  application: Application,
  person: Person,
  groups: PeopleGroups,
): boolean => isAmong(application.administrators, person, groups);

/** True for a person who may use the application: everyone, unless its users are listed. */
export function isUser(application: Application, person: Person, groups: PeopleGroups): boolean {
  const { users, administratorAccountsSame } = application;
  const listed = users.identities.length + users.groups.length > 0;
  if (!listed) return true;
  return (
    isAmong(users, person, groups) ||
    (administratorAccountsSame && isAdministrator(application, person, groups))
  );
}

/**
 * The name of the identity whose mapping a person uses in this application: their own, except in a `group`
 * application.
 * @returns null for a person in none of the groups of a `group` application
 */
export function mappedIdentity(
  { type, shared }: Application,
  person: Person,
  groups: PeopleGroups,
): string | null {
  if (type !== 'group') return person.name;
  return shared.find(({ group }) => isInGroup(group, person, groups))?.identity ?? null;
}

/** The field that holds the password; null while it is not clear which one does. */
export function syncedField({ fields }: Pick<Application, 'fields'>): ApplicationField | null {
  const synced = fields.filter(({ synced: is }) => is);
  if (synced.length === 0 && fields.length === 2) return fields[1] ?? null;
  return synced.length === 1 ? (synced[0] ?? null) : null;
}
