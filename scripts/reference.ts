import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { environmentSchema } from '../config';
import { connectorKinds, type RegisteredKind } from '../connectors/registry';
import { contractSchema } from '../connectors/wire/schema';
import {
  applicationSchema,
  captureSchema,
  configurationSchema,
  groupSchema,
  scimSchema,
  sourceSchema,
} from '../model/configuration/document';
import { errorCodes, errors, type Retry } from '../model/errors';
import { layoutOf, schemes } from '../model/hashes/encoding';
import { passwordFilterSchema } from '../model/policy/password-filter';
import { presetNames, presets } from '../model/policy/presets';
import { policyRulesSchema } from '../model/policy/schema';
import { keepers, rules } from './semantics';

/** The pages of docs/ that are made from the code, so that they cannot be wrong: `npm run docs`. */
export const referencePages: Readonly<Record<string, () => string>> = {
  'configuration.md': configurationPage,
  'connectors.md': connectorsPage,
  'errors.md': errorsPage,
  'semantics.md': semanticsPage,
  'your-own-connector.schema.json': () => `${JSON.stringify(contractSchema(), null, 2)}\n`,
};

const MADE = '<!-- Made by "npm run docs" from the code. -->';

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

/** A row for each field: name, what it takes, default, meaning. */
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
  return table(['field', 'takes', 'default', 'meaning'], rows);
}

function typeOf(property: Property): string {
  if (property.const !== undefined) return `\`${property.const}\``;
  if (property.enum !== undefined) return property.enum.map((one) => `\`${one}\``).join(', ');
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

/** The rules in which the presets differ from "no such rule". */
function presetTable(): string {
  const names = Object.keys(policyRulesSchema.shape) as (keyof typeof policyRulesSchema.shape)[];
  const rows = names.flatMap((rule) => {
    if (rule === 'preset') return [];
    const values = presetNames.map((preset) => presets[preset][rule]);
    const says = values.every((value) => value === null || value === 0 || value === '');
    return says ? [] : [[`\`${rule}\``, ...values.map((value) => `\`${value}\``)]];
  });
  return table(['rule', ...presetNames.map((preset) => `\`${preset}\``)], rows);
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const table = (titles: readonly string[], rows: readonly (readonly string[])[]): string =>
  [titles, titles.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map(cell).join(' | ')} |`)
    .join('\n');

const page = (...parts: readonly string[]): string => `${[MADE, ...parts].join('\n\n')}\n`;

function configurationPage(): string {
  return page(
    '# Configuration',
    '## lockstep.yaml\nWhat Lockstep connects and how. `lockstep plan` shows what it would change, `lockstep apply` makes it so. It holds no secret, only where one is: `${file:/path}` or `${env:NAME}`, as the worker sees them.',
    fieldTable(configurationSchema),
    '### A source: `sources.<name>`',
    fieldTable(sourceSchema),
    '### What a source captures: `sources.<name>.capture`',
    fieldTable(captureSchema),
    '#### An identity provider that pushes: `sources.<name>.capture.scim`',
    fieldTable(scimSchema),
    'The settings of each kind are in [connectors.md](connectors.md).',
    '#### A password filter: `sources.<name>.passwordFilter`\nIn this order: case, characters, length. What is written, proved and stored as the credential of that source is the rewritten password.',
    fieldTable(passwordFilterSchema),
    '### A policy: `policies.<name>`',
    'One policy judges every password of a group. It is a preset, and what is said here besides. Lengths are code points. Every rule that a password breaks is told at once.',
    fieldTable(policyRulesSchema),
    '#### What the presets say\nA password alone protects an account: with a second factor, NIST and CIS are content with 8. `ad-legacy` is what a Windows domain asks for by default; it is there to meet one, not to be recommended.',
    presetTable(),
    '### A group: `groups.<name>`',
    fieldTable(groupSchema),
    '### An application: `applications.<name>`',
    fieldTable(applicationSchema),
    '## Environment\nWhat a process of Lockstep reads when it starts.',
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
    'Every kind of source that Lockstep can talk to: what it needs, how it proves a password, and its settings. `lockstep doctor` looks for what is missing.',
    ...[...connectorKinds.values()].flatMap(connectorPart),
    '## Schemes\nThe hashes that Lockstep reads, the strongest first, and makes where a source gets no password. A hash is carried from a source that names its scheme in `capture.forms` to sources that take it, as it is: no policy judges it, no password filter rewrites it, nobody signs in with it. `lockstep plan` refuses a pair that does not fit, and says why.',
    schemesTable(),
    '## Another one\nWithout TypeScript: `command` or `webhook`, see [your-own-connector.md](your-own-connector.md). A kind of its own is a folder below `connectors/`, a line in `connectors/registry.ts` and a run of the conformance suite: see `connectors/contract.ts` and `test/connectors/ldap.test.ts`.',
  );
}

const proofs: Readonly<Record<string, string>> = {
  login: 'a login with it',
  hash: 'reading the stored hash back and comparing it',
  none: 'nothing: success is believed',
};

/** Whoever writes the other side says how it proves. */
const proofIn = (settings: z.ZodType): boolean =>
  'proof' in (z.toJSONSchema(settings, { io: 'input', unrepresentable: 'any' }).properties ?? {});

const connectorPart = ({ kind, title, traits, settings, needs }: RegisteredKind): string[] => [
  `## \`${kind}\`: ${title}`,
  `A new password is proved by ${proofIn(settings) ? 'what its setting `proof` says' : proofs[traits.proof]}. ${formSentences(traits)}`,
  needs.map((need) => `- ${need}`).join('\n'),
  fieldTable(settings),
];

function formSentences({ accepts, yields }: RegisteredKind['traits']): string {
  const hashes = accepts.filter((form) => form !== 'plaintext').map((form) => `\`${form}\``);
  const where = hashes.length > 1 ? ' where its settings name them' : '';
  const given = yields.map((one) => (one === 'hash' ? 'hashes' : 'passwords in plaintext'));
  return [
    accepts.includes('plaintext')
      ? 'It takes passwords in plaintext.'
      : 'It gets no password, but the hash that Lockstep makes of it.',
    hashes.length === 0
      ? 'It takes no hashes of others.'
      : `Hashes of others are stored as they are${where}: ${hashes.join(', ')}.`,
    given.length === 0
      ? 'It never gives its passwords, in no form, so nothing can be captured from it.'
      : `A capture from it may bring ${given.join(' or ')}.`,
  ].join(' ');
}

/** In the words of the configuration. */
function schemesTable(): string {
  const rows = schemes.map((scheme) => {
    const { looks, weak, prefix } = layoutOf(scheme);
    const shown =
      prefix === undefined ? `\`${looks}\`` : `\`${looks}\`, in directories after \`${prefix}\``;
    return [`\`${scheme}\``, shown, weak === undefined ? '' : `weak: ${weak}`];
  });
  return table(['scheme', 'looks like', ''], rows);
}

const retries: Readonly<Record<Retry, string>> = {
  offline: 'with growing waits, until the change is too old',
  rejected: 'never with the same password',
  unknown: 'five times, then when an operator retries it',
  never: 'by whoever asked',
};

function errorsPage(): string {
  const rows = (chosen: (retry: Retry) => boolean) =>
    errorCodes
      .filter((code) => chosen(errors[code].retry))
      .map((code) => {
        const { retry, says, status } = errors[code];
        return [`\`${code}\``, says, retries[retry], String(status)];
      });
  const titles = ['code', 'what it says', 'tried again', 'HTTP'];
  return page(
    '# Errors',
    'Every way in which Lockstep says no. Messages of the sources themselves are not shown: they may repeat a password. Their codes are, as `vendorCode`.',
    '## Why an account does not hold the new password (yet)\nThe HTTP status is that of a request that waits, when the auth account says so.',
    table(
      titles,
      rows((retry) => retry !== 'never'),
    ),
    '## Why a request is refused',
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
    'What a faithful password synchronization must get right, drawn from what Microsoft Enterprise SSO, SailPoint, PingDirectory and Okta document, and the tests that keep each rule, most of them on real servers. `npm run conformance` runs them and tells, rule by rule, whether it is kept.',
    table(['rule', 'says', 'kept by'], rows),
  );
}
