import { z } from 'zod';
import type { Scope } from '../api/scopes';
import { name } from './names';

/** The roles that a sign-in at the identity provider can give. Each role has the rights of one scope. */
export const signInRoles = {
  person: 'person',
  'help-desk': 'help-desk',
  operator: 'operate',
  administrator: 'admin',
  auditor: 'audit',
} as const satisfies Record<string, Scope>;

export type SignInRole = keyof typeof signInRoles;

const roleNames = Object.keys(signInRoles) as [SignInRole, ...SignInRole[]];

export const signInRowSchema = z
  .strictObject({
    group: z
      .string()
      .min(1)
      .optional()
      .describe('A value of the groups claim. Without it, the row is for everyone who signs in.'),
    roles: z.array(z.enum(roleNames)).min(1).describe('The roles of these people in the console.'),
    groups: z
      .array(name)
      .min(1)
      .optional()
      .describe('Limits a help desk to these groups of the configuration.'),
  })
  .refine(
    ({ roles, groups }) =>
      groups === undefined || roles.every((role) => role === 'help-desk' || role === 'person'),
    { path: ['groups'], message: 'only a help desk can be limited to groups' },
  );

const onLoopback = /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost)(:|\/|$)/;

/** The file of `LOCKSTEP_SIGN_IN_FILE`: how people and staff sign in at an identity provider (OpenID Connect). */
export const signInSchema = z.strictObject({
  issuer: z
    .url()
    .refine((url) => url.startsWith('https:') || onLoopback.test(url), 'must begin with https:')
    .describe('The issuer URL of the provider, below which it serves its metadata.'),
  clientId: z.string().min(1).describe('The id under which the provider knows Lockstep.'),
  clientSecretFile: z
    .string()
    .startsWith('/', 'must be an absolute path')
    .optional()
    .describe(
      'File with the client secret. It is read at each sign-in, so a new secret needs no restart. Without it, Lockstep is a public client.',
    ),
  title: z
    .string()
    .min(1)
    .max(60)
    .default('your organization')
    .describe('The name of the provider on the pages: "Sign in with …".'),
  scopes: z
    .array(z.string().min(1))
    .default(['openid', 'profile', 'email'])
    .describe('The scopes that Lockstep requests. `openid` is always among them.'),
  identityClaim: z
    .string()
    .min(1)
    .default('preferred_username')
    .describe(
      'The claim that names the person. Choose one that people cannot change. `email` counts only together with `email_verified`.',
    ),
  identitySource: name
    .optional()
    .describe(
      'The claim is the name of an account in this source. Without it, it is the name of the person in Lockstep.',
    ),
  nameClaim: z
    .string()
    .min(1)
    .default('name')
    .describe('The claim by which pages and audit name a member of the staff.'),
  groupsClaim: z.string().min(1).default('groups').describe('The claim with the groups.'),
  roles: z
    .array(signInRowSchema)
    .min(1)
    .describe(
      'Who may do what. `person` counts in every row that matches. Of the other roles, the first row that matches and has one counts.',
    ),
});

export type SignInSettings = z.output<typeof signInSchema>;

/** What the provider has stated about the user of a sign-in. */
export type Claims = Readonly<Record<string, unknown>>;

/** The rights of a member of the staff. */
export interface StaffRights {
  readonly scopes: readonly Scope[];
  readonly groups: readonly string[] | null;
}

const matching = ({ roles, groupsClaim }: SignInSettings, claims: Claims) => {
  const claimed = claims[groupsClaim];
  const groups: readonly unknown[] = Array.isArray(claimed) ? claimed : [claimed];
  return roles.filter(({ group }) => group === undefined || groups.includes(group));
};

/** Whether the user may use the pages for people. */
export const isPerson = (settings: SignInSettings, claims: Claims): boolean =>
  matching(settings, claims).some(({ roles }) => roles.includes('person'));

/** The rights of the user as staff, by the first row that matches; null if the user has none. */
export function staffRights(settings: SignInSettings, claims: Claims): StaffRights | null {
  for (const { roles, groups = null } of matching(settings, claims)) {
    const scopes = roles.filter((role) => role !== 'person').map((role) => signInRoles[role]);
    if (scopes.length > 0) return { scopes, groups };
  }
  return null;
}

/** The value by which the claims name the person; null if they do not, or if the mail address is not verified. */
export function claimedIdentity({ identityClaim }: SignInSettings, claims: Claims): string | null {
  const value = claims[identityClaim];
  if (typeof value !== 'string' || value === '') return null;
  return identityClaim === 'email' && claims.email_verified !== true ? null : value;
}

/** The name of a member of the staff for pages and audit. */
export const claimedName = ({ nameClaim }: SignInSettings, claims: Claims): string =>
  [claims[nameClaim], claims.preferred_username, claims.email, claims.sub]
    .filter((value): value is string => typeof value === 'string' && value !== '')
    .map((value) => value.slice(0, 100))[0] ?? 'unknown';
