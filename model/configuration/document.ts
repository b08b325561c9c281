import { z } from 'zod';
import { forms } from '../hashes/encoding';
import { audiences } from '../notices/kinds';
import { languages } from '../notices/languages';
import { leaversSchema } from '../people/leavers';
import { refreshScheduleSchema } from '../people/refresh-schedule';
import { expirySchema } from '../policy/expiry';
import { passwordFilterSchema } from '../policy/password-filter';
import { policyRulesSchema, rulesOf } from '../policy/schema';
import { type Adapter, adapterSchema, switchesSchema } from './adapter';
import { type Application, applicationSchema, peopleGroupSchema } from './application';
import {
  failureModes,
  type Group,
  lanes,
  type Policy,
  proveModes,
  type Source,
  type SourceAdapter,
} from './group';
import { laneOf, limitFields } from './limits';
import { maintenanceWindowSchema } from './maintenance';
import { attribute, name } from './names';
import { titleField, titleFields } from './titles';

/**
 * One problem in a configuration document. `path` leads to the field, and `says` continues it: "sources.hr.policy: is
 * …".
 */
export interface ConfigurationIssue {
  readonly path: readonly (string | number)[];
  readonly says: string;
}

/**
 * Matches `${file:corp}` and `${env:NAME}`, by which the configuration refers to a secret without holding it.
 */
export const secretReference = /^\$\{(file|env):([^}]+)\}$/;

const attributeMap = z.record(attribute, attribute);

export const scimSchema = z.strictObject({
  pushesRealPassword: z
    .boolean()
    .default(false)
    .describe(
      'Attests that the provider is set to push the real password of the person. A provider may push a random one instead, and Lockstep cannot tell them apart, so pushed passwords have no effect without this.',
    ),
  createPassword: z
    .boolean()
    .default(false)
    .describe(
      'Also accepts the password with which the provider creates a user. Most providers send a placeholder there.',
    ),
  createLinks: z
    .boolean()
    .default(false)
    .describe(
      'Links a user that the provider creates in the way a refresh of this source links an account: by correlate, else by createIdentities. Both use attributes of SCIM, such as userName, emails or name.givenName.',
    ),
});

export const captureSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe('Carries a password that is changed in this source to the others.'),
  forms: z
    .array(z.enum(forms))
    .min(1)
    .default(['plaintext'])
    .describe(
      'The forms in which captures come: passwords in plaintext, or hashes of these schemes. A hash is checked by no policy and is carried on unchanged, so every other source of the groups must accept its scheme.',
    ),
  verifyCurrent: z
    .boolean()
    .default(true)
    .describe(
      'Requires the current password in each capture, and verifies it at the auth account first. Captures of the auth source itself need none.',
    ),
  accountsBy: attribute
    .optional()
    .describe(
      'The account attribute that the relay sends instead of the account name, when the capture agent knows nothing else: `sAMAccountName` for the notification package of Windows. The worker looks the account up in the source. Without it, the relay sends the account name.',
    ),
  confirm: z
    .boolean()
    .default(false)
    .describe(
      'Treats each capture as a candidate that the source may have refused after it was captured (the check module of OpenLDAP): it is carried on once a login shows that the account holds it.',
    ),
  keepUnlinkedHours: z
    .int()
    .min(0)
    .max(168)
    .default(0)
    .describe(
      'How long the last captured password of an account that is linked to no person is kept, sealed, until the account is linked. 0: it is dropped. Only for captures that a relay delivers.',
    ),
  scim: scimSchema
    .optional()
    .describe(
      'Lets an identity provider push the passwords of this source to /scim/v2/<source>: see docs/captures/identity-providers.md.',
    ),
});

const sourceFields = z.strictObject({
  ...titleFields,
  kind: z.string().describe('The connector: see docs/connectors.md.'),
  settings: z.record(z.string(), z.unknown()).describe('The settings of that connector.'),
  enabled: z
    .boolean()
    .default(true)
    .describe(
      'When false, changes leave out the accounts of this source, and their outcomes show that.',
    ),
  prove: z
    .enum(proveModes)
    .default('always')
    .describe(
      'When a new password is verified by a login: after each write, only after a doubtful one, or never.',
    ),
  multipleAccountPasswordSync: z
    .boolean()
    .default(false)
    .describe('Change every account that a person has in this source, not only the primary one.'),
  lane: z
    .enum(lanes)
    .default('inline')
    .describe(
      'queue: the source has a task queue of its own from the first attempt on, for slow sources. An isolated source, and one with maxPerSecond or maxAtOnce, always has one.',
    ),
  isolated: z
    .boolean()
    .default(false)
    .describe(
      'Only workers that name this source in LOCKSTEP_WORKER_SOURCES ask it, on its own task queue. The other workers need none of its secrets. Such a source captures no passwords, gets no old password (sendOldPassword), and verifies no credential that is set.',
    ),
  ...limitFields,
  maintenance: z
    .array(maintenanceWindowSchema)
    .min(1)
    .optional()
    .describe(
      'Times in which nothing is written to the source. Its accounts wait, and continue when the window ends.',
    ),
  correlate: z
    .array(attributeMap)
    .default([])
    .describe(
      'Rules that find the account of a person, tried in turn. Each maps account attribute to attribute of the person; "name" is the name of the person.',
    ),
  policy: name
    .optional()
    .describe(
      'The policy of a source that is in no group: its password is changed on its own. The sources of a removed group keep the policy of that group.',
    ),
  capture: captureSchema
    .optional()
    .describe('How passwords that are changed in this source are captured. Without it, none are.'),
  createIdentities: z
    .strictObject({
      name: attribute.describe('The account attribute that names the person.'),
      attributes: attributeMap
        .default({})
        .describe('Attribute of the person to account attribute.'),
    })
    .optional()
    .describe(
      'Lets a refresh of this source add the people that it finds, and keep these attributes of them up to date.',
    ),
  refresh: refreshScheduleSchema
    .optional()
    .describe('When a worker refreshes the source by itself. Without it, only operators do.'),
  leavers: leaversSchema
    .optional()
    .describe('What a refresh does about linked accounts that the source no longer lists.'),
  passwordFilter: passwordFilterSchema
    .optional()
    .describe(
      'Rewrites every password for this source, when the source cannot accept it unchanged.',
    ),
  adapter: adapterSchema
    .optional()
    .describe(
      'Makes the source an adapter of single sign-on: see docs/sync-types.md. Without it, the source is not subject to `sso.switches`.',
    ),
});

/** One source of the configuration. The schema is the reference page, too: each description is a line of it. */
export const sourceSchema = sourceFields.transform(withAdapterCaptures);

/** An adapter that accepts passwords captures them. Its own flag decides how the old password is verified. */
function withAdapterCaptures(source: z.output<typeof sourceFields>): z.output<typeof sourceFields> {
  if (source.capture !== undefined || source.adapter?.syncFromAdapter !== true) return source;
  return { ...source, capture: captureSchema.parse({ enabled: true, verifyCurrent: false }) };
}

export const groupSchema = z.strictObject({
  ...titleField,
  policy: name.describe('The policy that checks every password of the group.'),
  authSource: name.describe(
    'The source whose account is changed first; when that fails, nothing else is attempted.',
  ),
  sources: z.array(name).describe('The sources that share one password, two or more.'),
  failureMode: z
    .enum(failureModes)
    .default('continue')
    .describe(
      'continue: the auth account goes first, and an account that fails stops no other. directory-last: the auth account goes last, and only if every other account took the new password.',
    ),
  expiry: expirySchema
    .optional()
    .describe('How old a password of the group may become. Without it, passwords do not expire.'),
});

/** Single sign-on as a whole: what counts for every application. */
export const ssoSchema = z.strictObject({
  tickets: z
    .boolean()
    .default(true)
    .describe('When false, no application has tickets, whatever its own settings are.'),
  ticketTimeoutSeconds: z
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(120)
    .describe('The lifetime of a ticket.'),
  credentialCacheMinutes: z
    .number()
    .int()
    .min(0)
    .max(1440)
    .default(60)
    .describe('How long the lookup service keeps a credential in memory. 0: not at all.'),
  switches: switchesSchema
    .default(switchesSchema.parse({}))
    .describe('The directions in which adapters synchronize, all off at first.'),
});

export const noticeChannelSchema = z.strictObject({
  kind: z.string().describe('`mail`, `webhook` or `caep`.'),
  for: z
    .array(z.enum(audiences))
    .min(1)
    .describe(
      'Whose notices the channel gets: those to people about their own password, those to operators, or both.',
    ),
  language: z.enum(languages).default('en').describe('The language of the texts.'),
  settings: z.record(z.string(), z.unknown()).describe('The settings of that kind.'),
});

/** `lockstep.yaml`: the systems that Lockstep connects, and how. It holds no secret, only references to secrets. */
export const configurationSchema = z.strictObject({
  version: z.literal(1).describe('The version of this format.'),
  sources: z.record(name, sourceSchema).default({}).describe('The systems that hold accounts.'),
  policies: z.record(name, policyRulesSchema).default({}).describe('The rules for passwords.'),
  groups: z.record(name, groupSchema).default({}).describe('The sources that share a password.'),
  applications: z
    .record(name, applicationSchema)
    .default({})
    .describe('Single sign-on applications whose stored credentials follow the passwords.'),
  peopleGroups: z
    .record(name, peopleGroupSchema)
    .default({})
    .describe('Groups of people, for the administrators and users of applications.'),
  sso: ssoSchema
    .default(ssoSchema.parse({}))
    .describe('Single sign-on as a whole: what counts for every application.'),
  notices: z
    .record(name, noticeChannelSchema)
    .default({})
    .describe('The channels by which people and operators get notices.'),
});

export type Configuration = z.infer<typeof configurationSchema>;
export type NoticeChannel = z.infer<typeof noticeChannelSchema>;
export type SourceConfiguration = z.infer<typeof sourceSchema>;

export const emptyConfiguration: Configuration = configurationSchema.parse({ version: 1 });

/** The parts of a configuration that the sources of the rules come from. */
export type SourceParts = Pick<Configuration, 'sources' | 'applications' | 'sso'>;

/** The sources in the shape that the rules use. */
export const sourcesOf = (configuration: SourceParts): Source[] =>
  Object.entries(configuration.sources).map(([sourceName, source]) => ({
    name: sourceName,
    enabled: source.enabled,
    // Two accounts that an adapter accepts are both meant.
    multipleAccountPasswordSync:
      source.multipleAccountPasswordSync || source.adapter?.allowMappingConflicts === true,
    lane: laneOf(source),
    prove: source.prove,
    correlates: source.correlate.length > 0,
    ...(source.adapter && { adapter: adapterOf(source.adapter, configuration) }),
  }));

const adapterOf = (adapter: Adapter, { applications, sso }: SourceParts): SourceAdapter => ({
  enabled: adapter.enabled,
  syncToAdapter: adapter.syncToAdapter,
  switchedOn: sso.switches.windowsToAdapters,
  allowMappingConflicts: adapter.allowMappingConflicts,
  applications: adapter.applications.map((application) => ({
    name: application,
    enabled: applications[application]?.enabled === true,
  })),
});

export const declaredGroupsOf = ({ groups }: Pick<Configuration, 'groups'>): Group[] =>
  Object.entries(groups).map(([groupName, group]) => ({ name: groupName, ...group }));

/**
 * The name of the implicit group of a source with a policy of its own. A declared group cannot have it: it has a colon.
 */
export const loneGroupName = (source: string): string => `source:${source}`;

/**
 * The declared groups, and one implicit group for each source with a policy of its own that is in no declared group.
 */
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

/**
 * The groups that a change covers when it begins in this source: the group of the source first, then the others with
 * the same auth source. Empty when the source is in no group.
 */
export function groupsFrom(
  configuration: Pick<Configuration, 'groups' | 'sources'>,
  source: string,
): Group[] {
  const all = groupsOf(configuration);
  const first = all.find(({ sources }) => sources.includes(source));
  if (first === undefined) return [];
  return [
    first,
    ...all.filter((group) => group !== first && group.authSource === first.authSource),
  ];
}

export const policiesOf = ({ policies }: Pick<Configuration, 'policies'>): Policy[] =>
  Object.entries(policies).map(([policyName, settings]) => ({
    name: policyName,
    rules: rulesOf(settings),
  }));

/**
 * The source of this name; undefined when there is none. Only properties of the document count, because the name may be
 * that of a property that every object has, such as `constructor`.
 */
export const sourceNamed = (
  { sources }: Pick<Configuration, 'sources'>,
  wanted: string,
): SourceConfiguration | undefined =>
  Object.hasOwn(sources, wanted) ? sources[wanted] : undefined;

/** The application of this name; undefined when there is none. Only properties of the document count, as in `sourceNamed`. */
export const applicationNamed = (
  { applications }: Pick<Configuration, 'applications'>,
  wanted: string,
): Application | undefined =>
  Object.hasOwn(applications, wanted) ? applications[wanted] : undefined;
