import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { environmentSchema } from '../config';
import { channelKinds } from '../connectors/notices/registry';
import { connectorKinds, type RegisteredKind } from '../connectors/registry';
import { contractSchema } from '../connectors/wire/schema';
import { adapterSchema, switchesSchema } from '../model/configuration/adapter';
import { applicationSchema, peopleGroupSchema } from '../model/configuration/application';
import {
  captureSchema,
  configurationSchema,
  groupSchema,
  noticeChannelSchema,
  scimSchema,
  sourceSchema,
  ssoSchema,
} from '../model/configuration/document';
import { maintenanceWindowSchema } from '../model/configuration/maintenance';
import { signInRoles, signInRowSchema, signInSchema } from '../model/configuration/sign-in';
import { errorCodes, errors, type Retry, waitingSays } from '../model/errors';
import { layoutOf, schemes } from '../model/hashes/encoding';
import { accountActions } from '../model/people/account-actions';
import { leaversSchema } from '../model/people/leavers';
import { refreshScheduleSchema } from '../model/people/refresh-schedule';
import { expirySchema } from '../model/policy/expiry';
import { passwordFilterSchema } from '../model/policy/password-filter';
import { presetNames, presets } from '../model/policy/presets';
import { policyRulesSchema } from '../model/policy/schema';
import { table, wrapped } from './markdown';
import { keepers, rules } from './semantics';

/** The pages of docs/ that `npm run docs` generates from the code, by their file name. */
export const referencePages: Readonly<Record<string, () => string>> = {
  'configuration.md': configurationPage,
  'connectors.md': connectorsPage,
  'errors.md': errorsPage,
  'semantics.md': semanticsPage,
  'your-own-connector.schema.json': () => `${JSON.stringify(contractSchema(), null, 2)}\n`,
};

const GENERATED = '<!-- Generated from the code by "npm run docs". -->';

export function writeReferencePages(): void {
  for (const [file, page] of Object.entries(referencePages))
    writeFileSync(path.join('docs', file), page());
}

interface Property {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly items?: Property;
  readonly anyOf?: readonly Property[];
  readonly additionalProperties?: Property | boolean;
}

/** A table with a row for each field of the schema: name, type, default, meaning. */
function fieldTable(schema: z.ZodType): string {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
  }) as { properties?: Record<string, Property>; required?: string[] };
  const rows = Object.entries(properties).map(([name, property]) => [
    `\`${name}\``,
    typeOf(property),
    required.includes(name) ? '**required**' : defaultOf(property),
    property.description ?? '',
  ]);
  return table(['field', 'type', 'default', 'meaning'], rows);
}

function typeOf(property: Property): string {
  if (property.const !== undefined) return `\`${property.const}\``;
  if (property.enum !== undefined) return property.enum.map((value) => `\`${value}\``).join(', ');
  if (property.anyOf !== undefined) return property.anyOf.map(typeOf).join(' or ');
  if (property.type === 'array') return `list of ${typeOf(property.items ?? {})}`;
  if (property.type === 'object') return 'map';
  return (
    { integer: 'whole number', number: 'number', boolean: 'true or false' }[
      String(property.type)
    ] ?? 'text'
  );
}

const defaultOf = ({ default: value }: Property): string =>
  value === undefined || JSON.stringify(value) === '{}' || JSON.stringify(value) === '[]'
    ? ''
    : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

/** A row for each policy rule that at least one preset sets. */
function presetTable(): string {
  const names = Object.keys(policyRulesSchema.shape) as (keyof typeof policyRulesSchema.shape)[];
  const rows = names.flatMap((rule) => {
    if (rule === 'preset') return [];
    const values = presetNames.map((preset) => presets[preset][rule]);
    const unset = values.every((value) => value === null || value === 0 || value === '');
    return unset ? [] : [[`\`${rule}\``, ...values.map((value) => `\`${value}\``)]];
  });
  return table(['rule', ...presetNames.map((preset) => `\`${preset}\``)], rows);
}

const page = (...parts: readonly string[]): string =>
  `${[GENERATED, ...parts.map(wrapped)].join('\n\n')}\n`;

const rolesOfScopes = Object.entries(signInRoles)
  .map(([role, scope]) => `\`${role}\` has \`${scope}\``)
  .join(', ');

function configurationPage(): string {
  return page(
    '# Configuration',
    '## lockstep.yaml\nThis file lists the systems that Lockstep connects, and how. `lockstep plan` shows what it would change; `lockstep apply` applies it. The file contains no secrets, only references to them as the worker reads them: `${file:NAME}` for a file below `LOCKSTEP_SECRETS_DIR`, or `${env:NAME}` for a variable that begins with `LOCKSTEP_SECRETS_PREFIX`.',
    fieldTable(configurationSchema),
    '### A source: `sources.<name>`',
    fieldTable(sourceSchema),
    '#### A maintenance window: `sources.<name>.maintenance`\nNothing is written to the source in a window; [Operating](operating.md#maintenance) describes what happens. A time that the clock skips in spring belongs to no window.',
    fieldTable(maintenanceWindowSchema),
    '### Captures of a source: `sources.<name>.capture`\nSee [captures](captures/README.md).',
    fieldTable(captureSchema),
    '#### An identity provider that pushes passwords: `sources.<name>.capture.scim`\nSee [identity providers](captures/identity-providers.md).',
    fieldTable(scimSchema),
    'The settings of each kind are in [connectors.md](connectors.md).',
    '#### The schedule of refreshes: `sources.<name>.refresh`\nSee [joiners, movers and leavers](joiners-movers-leavers.md). Set one of the two.',
    fieldTable(refreshScheduleSchema),
    '#### Accounts that the source no longer lists: `sources.<name>.leavers`',
    fieldTable(leaversSchema),
    '#### A password filter: `sources.<name>.passwordFilter`\nThe filter applies in this order: case, characters, length. Lockstep writes and verifies the rewritten password, and stores it as the credential of that source.',
    fieldTable(passwordFilterSchema),
    '#### An adapter: `sources.<name>.adapter`\nSee [adapters](sync-types.md).',
    fieldTable(adapterSchema),
    '### A policy: `policies.<name>`',
    'Every password of a group must satisfy one policy: a preset, and the rules that are set here. Lengths are code points. All rules that a password violates are reported at once.',
    fieldTable(policyRulesSchema),
    '#### The presets\nThe presets assume that only a password protects the account: with a second factor, NIST and CIS accept a length of 8. `ad-legacy` has the default rules of a Windows domain; use it to match such a domain, not as a recommendation.',
    presetTable(),
    '### A group: `groups.<name>`',
    fieldTable(groupSchema),
    '#### Expiry of passwords: `groups.<name>.expiry`\nSee [the expiry of passwords](password-expiry.md).',
    fieldTable(expirySchema),
    '### An application: `applications.<name>`',
    fieldTable(applicationSchema),
    '### A group of people: `peopleGroups.<name>`',
    fieldTable(peopleGroupSchema),
    '### Single sign-on: `sso`',
    fieldTable(ssoSchema),
    '#### The switches: `sso.switches`\nA direction needs its switch and the flag of the adapter.',
    fieldTable(switchesSchema),
    '### A channel for notices: `notices.<name>`\nSee [notices](notices.md).',
    fieldTable(noticeChannelSchema),
    ...[...channelKinds].flatMap(([kind, { settings }]) => [
      `#### The settings of the kind \`${kind}\``,
      fieldTable(settings),
    ]),
    '## Sign-in: LOCKSTEP_SIGN_IN_FILE\nA YAML file of the api: the identity provider at which people and staff sign in to the console, and who may do what. See [the console](console.md#sign-in-at-an-identity-provider).',
    fieldTable(signInSchema),
    `### A role: \`roles[]\`\nThe roles have the rights of these scopes: ${rolesOfScopes}.`,
    fieldTable(signInRowSchema),
    '## Environment\nThe variables that a process of Lockstep reads when it starts.',
    table(
      ['variable', 'default', 'meaning'],
      Object.entries(environmentSchema.shape).map(([name, field]) => {
        const property = z.toJSONSchema(field, { io: 'input', unrepresentable: 'any' }) as Property;
        return [`\`${name}\``, defaultOf(property), property.description ?? ''];
      }),
    ),
  );
}

function connectorsPage(): string {
  return page(
    '# Connectors',
    'For every kind of source: its requirements, how Lockstep verifies a password, and its settings. `lockstep doctor` checks the requirements.',
    ...[...connectorKinds.values()].flatMap(connectorPart),
    '## Unlock and force change\nWhat the [help desk](help-desk.md#unlock-and-force-a-change) can do in each kind of source. Neither changes a password, and a later change through Lockstep keeps both a lock and a forced change, where the source allows that.',
    actionsTable(),
    '## Schemes\nThe hashes that Lockstep reads, strongest first. It also makes them for a source that gets hashes only. A captured hash goes unchanged from a source that lists its scheme in `capture.forms` to the sources that accept it: no policy is checked, no password filter rewrites it, and no login verifies it. `lockstep plan` refuses a pair of sources that does not fit and shows the reason.',
    schemesTable(),
    '## Add a connector\nWithout TypeScript: use `command` or `webhook`, see [your-own-connector.md](your-own-connector.md). In TypeScript: see [architecture.md](architecture.md#how-to-add-a-connector).',
  );
}

const proofs: Readonly<Record<string, string>> = {
  login: 'Lockstep verifies a new password by a login with it.',
  hash: 'Lockstep verifies a new password by reading the stored hash back and comparing it.',
  none: 'Passwords cannot be verified; a success response is trusted.',
};

/** True for a kind whose settings declare how the other side verifies a password. */
const declaresProof = (settings: z.ZodType): boolean =>
  'proof' in (z.toJSONSchema(settings, { io: 'input', unrepresentable: 'any' }).properties ?? {});

const connectorPart = ({ kind, title, traits, settings, needs }: RegisteredKind): string[] => [
  `## \`${kind}\`: ${title}`,
  `${declaresProof(settings) ? 'The setting `proof` declares how a new password is verified.' : proofs[traits.proof]} ${formSentences(traits)}`,
  needs.map((need) => `- ${need}`).join('\n'),
  fieldTable(settings),
];

function formSentences({ accepts, yields }: RegisteredKind['traits']): string {
  const hashes = accepts.filter((form) => form !== 'plaintext').map((form) => `\`${form}\``);
  const where = hashes.length > 1 ? ', if its settings list them' : '';
  const given = yields.map((form) => (form === 'hash' ? 'hashes' : 'passwords in plaintext'));
  return [
    accepts.includes('plaintext')
      ? 'It accepts passwords in plaintext.'
      : 'It gets a hash that Lockstep makes of the password, never the password.',
    hashes.length === 0
      ? 'It accepts no captured hashes.'
      : `It stores captured hashes of these schemes unchanged${where}: ${hashes.join(', ')}.`,
    given.length === 0
      ? 'It never exposes passwords in any form, so it cannot be captured.'
      : `A capture from it may contain ${given.join(' or ')}.`,
  ].join(' ');
}

/** Requests and limits of the kinds that can unlock accounts or force a change. */
const actionNotes: Readonly<Record<string, string>> = {
  ldap: 'OpenLDAP: deletes `pwdAccountLockedTime`; sets `pwdReset`, which the server ignores unless the policy of the account has `pwdMustChange`. 389 Directory Server: sets `passwordRetryCount` to 0; sets `passwordExpirationTime`, which the server ignores without `passwordMustChange`. Lockstep then answers `not_supported`. ApacheDS and PingDirectory: neither.',
  'active-directory':
    'Sets `lockoutTime` and `pwdLastSet` to 0. An account whose password never expires, or that needs a smart card, cannot be forced.',
  okta: 'Uses `lifecycle/unlock` and `lifecycle/expire_password`. A locked user must be unlocked first.',
  pingone:
    'Unlocks the password, not an account that an administrator has locked. A locked user must be unlocked first, because PingOne would unlock it with the forced change.',
  entra:
    'Sets `forceChangePasswordNextSignIn`. Graph does not show it, so a later change through Lockstep ends it. Entra ID ends a lock by itself.',
  'postgres-role':
    'A role has no lock. `VALID UNTIL` ends every login instead of forcing a change, so Lockstep does not use it.',
};

function actionsTable(): string {
  const rows = [...connectorKinds.values()].map(({ kind, traits }) => [
    `\`${kind}\``,
    ...accountActions.map((action) => (traits.actions.includes(action) ? 'yes' : 'no')),
    actionNotes[kind] ?? '',
  ]);
  return table(['kind', ...accountActions, 'how'], rows);
}

/** A row for each scheme, by its name in the configuration. */
function schemesTable(): string {
  const rows = schemes.map((scheme) => {
    const { looks, weak, prefix } = layoutOf(scheme);
    const shown =
      prefix === undefined
        ? `\`${looks}\``
        : `\`${looks}\`, in directories with the prefix \`${prefix}\``;
    return [`\`${scheme}\``, shown, weak === undefined ? '' : `weak: ${weak}`];
  });
  return table(['scheme', 'format', 'note'], rows);
}

const retries: Readonly<Record<Retry, string>> = {
  offline: 'automatic, with growing waits until the age limit of the change',
  rejected: 'never with the same password',
  unknown: 'five attempts, then by an operator',
  never: 'by the caller',
};

function errorsPage(): string {
  const rows = (chosen: (retry: Retry) => boolean) =>
    errorCodes
      .filter((code) => chosen(errors[code].retry))
      .map((code) => {
        const { retry, status } = errors[code];
        return [`\`${code}\``, waitingSays(code), retries[retry], String(status)];
      });
  const titles = ['code', 'message', 'retry', 'HTTP'];
  return page(
    '# Errors',
    'Every failure and every refusal that Lockstep reports. It does not show the messages of the sources, because they may contain a password. It shows their codes, as `vendorCode`.',
    '## Reasons why an account does not hold the new password (yet)\nThe HTTP status is the one of a waiting request if the auth account fails for this reason.',
    table(
      titles,
      rows((retry) => retry !== 'never'),
    ),
    '## Reasons why a request is refused',
    table(
      titles,
      rows((retry) => retry === 'never'),
    ),
  );
}

function semanticsPage(): string {
  const kept = keepers('.');
  const rows = Object.entries(rules).map(([rule, { says, missing }]) => [
    rule,
    missing === undefined ? says : `${says} **Not yet:** ${missing}`,
    kept
      .filter((keeper) => keeper.rule === Number(rule))
      .map(({ file, title }) => `${title} (\`${file}\`)`)
      .join('<br>'),
  ]);
  return page(
    '# The rules',
    'The rules of a faithful password synchronization, drawn from the documentation of Microsoft Enterprise SSO, SailPoint, PingDirectory and Okta, and the tests that keep each rule, most of them on real servers. `npm run conformance` runs these tests and reports for each rule whether it is kept.',
    table(['rule', 'text', 'kept by'], rows),
  );
}
