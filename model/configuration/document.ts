import { z } from 'zod';
import { forms } from '../hashes/encoding';
import { passwordFilterSchema } from '../policy/password-filter';
import { policyRulesSchema, rulesOf } from '../policy/schema';
import { failureModes, type Group, lanes, type Policy, proveModes, type Source } from './group';

/** Something in the document that is not right; `path` leads to it. */
export interface ConfigurationIssue {
  readonly path: readonly (string | number)[];
  readonly says: string;
}

/** `lockstep.yaml`: what Lockstep connects and how. It holds no secret, only references to some. */

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,39}$/, 'use lower-case letters, digits and hyphens, a letter first');

/** `${file:/run/secrets/x}` or `${env:NAME}`: how the configuration names a secret without holding it. */
export const secretReference = /^\$\{(file|env):([^}]+)\}$/;

const attributeMap = z.record(z.string().min(1), z.string().min(1));

export const scimSchema = z.strictObject({
  pushesRealPassword: z
    .boolean()
    .default(false)
    .describe(
      'You attest that the provider is set to push the password of the person itself. It may as well push a random one, and nobody can see which it is: without this, what it pushes has no effect.',
    ),
  createPassword: z
    .boolean()
    .default(false)
    .describe(
      'The password in the creation of a user counts, too. Most providers send a placeholder there.',
    ),
  createLinks: z
    .boolean()
    .default(false)
    .describe(
      'A user that the provider creates is linked as a refresh of this source would link an account: by correlate, else by createIdentities. They see attributes of SCIM, such as userName, emails or name.givenName.',
    ),
});

export const captureSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe('A password that is changed in this source is carried to the others.'),
  forms: z
    .array(z.enum(forms))
    .min(1)
    .default(['plaintext'])
    .describe(
      'What whoever captures sends: passwords in plaintext, or hashes of these schemes. A hash is judged by no policy, and is carried on as it is, so every other source of the groups has to take its scheme.',
    ),
  verifyCurrent: z
    .boolean()
    .default(true)
    .describe(
      'Whoever captures has to bring the current password, which the auth account is asked for first. The auth source itself needs none.',
    ),
  accountsBy: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The account attribute by which a relay calls accounts, where whoever captures knows no more: `sAMAccountName` for the notification package of Windows. The worker asks the source whose it is. Without it: the name of the account.',
    ),
  confirm: z
    .boolean()
    .default(false)
    .describe(
      'What a relay brings is only a candidate, which the source may have refused after it was captured (OpenLDAP’s check module): it is carried on once a login shows that the account holds it.',
    ),
  scim: scimSchema
    .optional()
    .describe(
      'An identity provider pushes the passwords of this source to /scim/v2/<source>: see docs/captures/identity-providers.md.',
    ),
});

export const sourceSchema = z.strictObject({
  kind: z.string().describe('The connector: see docs/connectors.md.'),
  settings: z.record(z.string(), z.unknown()).describe('The settings of that connector.'),
  enabled: z
    .boolean()
    .default(true)
    .describe('Off: its accounts are left out, and the outcome says so.'),
  prove: z
    .enum(proveModes)
    .default('always')
    .describe(
      'Whether a new password is proved by a login: after each write, only after a doubtful one, or never.',
    ),
  multipleAccountPasswordSync: z
    .boolean()
    .default(false)
    .describe('Change every account that a person has in this source, not only the primary one.'),
  lane: z
    .enum(lanes)
    .default('inline')
    .describe(
      'queue: give the source a task queue of its own from the first attempt on (slow or rate-limited sources).',
    ),
  correlate: z
    .array(attributeMap)
    .default([])
    .describe(
      'Rules that find the account of a person, tried in turn: account attribute to attribute of the person ("name" is the name).',
    ),
  policy: name
    .optional()
    .describe(
      'The policy of a source that is in no group: its password is changed on its own. Sources of a group that is taken away keep its policy.',
    ),
  capture: captureSchema
    .optional()
    .describe('Whether passwords that are changed in this source are taken over. Without it: no.'),
  createIdentities: z
    .strictObject({
      name: z.string().min(1).describe('The account attribute that names the person.'),
      attributes: attributeMap
        .default({})
        .describe('Attribute of the person to account attribute.'),
    })
    .optional()
    .describe('A refresh of this source adds the people that it finds.'),
  passwordFilter: passwordFilterSchema
    .optional()
    .describe('Rewrites every password for this source, which cannot take it as it is.'),
});

export const groupSchema = z.strictObject({
  policy: name.describe('The one policy that judges every password of the group.'),
  authSource: name.describe(
    'The source whose account goes first; when it refuses, nothing else is attempted.',
  ),
  sources: z.array(name).describe('The sources whose passwords are the same, two or more.'),
  failureMode: z
    .enum(failureModes)
    .default('continue')
    .describe(
      'continue: the auth account goes first, and an account that fails stops no other. directory-last: the auth account goes last, and only if every other account took the new password.',
    ),
});

export const applicationSchema = z.strictObject({
  source: name.describe('The source whose accounts sign in to the application.'),
  enabled: z.boolean().default(true).describe('Off: its mappings are left as they are.'),
});

export const configurationSchema = z.strictObject({
  version: z.literal(1).describe('The version of this format.'),
  sources: z.record(name, sourceSchema).default({}).describe('The systems that hold accounts.'),
  policies: z.record(name, policyRulesSchema).default({}).describe('What a password must be.'),
  groups: z.record(name, groupSchema).default({}).describe('Which sources share a password.'),
  applications: z
    .record(name, applicationSchema)
    .default({})
    .describe('Single sign-on applications whose stored credentials follow.'),
});

export type Configuration = z.infer<typeof configurationSchema>;
export type SourceConfiguration = z.infer<typeof sourceSchema>;

export const emptyConfiguration: Configuration = configurationSchema.parse({ version: 1 });

/** The sources as the rules see them. */
export const sourcesOf = ({ sources }: Pick<Configuration, 'sources'>): Source[] =>
  Object.entries(sources).map(([sourceName, source]) => ({
    name: sourceName,
    enabled: source.enabled,
    multipleAccountPasswordSync: source.multipleAccountPasswordSync,
    lane: source.lane,
    prove: source.prove,
    correlates: source.correlate.length > 0,
  }));

export const declaredGroupsOf = ({ groups }: Pick<Configuration, 'groups'>): Group[] =>
  Object.entries(groups).map(([groupName, group]) => ({ name: groupName, ...group }));

/** Cannot be the name of a group that somebody declares. */
export const loneGroupName = (source: string): string => `source:${source}`;

/** Those that are declared, and one of its own for each source with a policy that is in none of them. */
export function groupsOf(configuration: Pick<Configuration, 'groups' | 'sources'>): Group[] {
  const declared = declaredGroupsOf(configuration);
  const lone = Object.entries(configuration.sources).flatMap(([source, { policy }]) =>
    policy === undefined || declared.some(({ sources }) => sources.includes(source))
      ? []
      : [
          {
            name: loneGroupName(source),
            policy,
            authSource: source,
            sources: [source],
            failureMode: 'continue' as const,
          },
        ],
  );
  return [...declared, ...lone];
}

/** Those that one change covers which begins in this source: its own first, then the others of the same auth source. */
export function groupsFrom(
  configuration: Pick<Configuration, 'groups' | 'sources'>,
  source: string,
): Group[] {
  const all = groupsOf(configuration);
  const own = all.find(({ sources }) => sources.includes(source));
  if (own === undefined) return [];
  return [own, ...all.filter((one) => one !== own && one.authSource === own.authSource)];
}

export const policiesOf = ({ policies }: Pick<Configuration, 'policies'>): Policy[] =>
  Object.entries(policies).map(([policyName, settings]) => ({
    name: policyName,
    rules: rulesOf(settings),
  }));

/** Undefined when there is none of that name; names are people's, and may be those of what every object has. */
export const sourceNamed = (
  { sources }: Pick<Configuration, 'sources'>,
  wanted: string,
): SourceConfiguration | undefined =>
  Object.hasOwn(sources, wanted) ? sources[wanted] : undefined;
