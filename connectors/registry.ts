import type { z } from 'zod';
import {
  type AccountRules,
  type AccountRulesOf,
  exactNaming,
  exactRules,
  type Naming,
} from '../model/people/naming';
import { activeDirectory } from './active-directory/kind';
import { command } from './command/kind';
import type {
  AccountSystem,
  Connector,
  ConnectorKind,
  ConnectorTools,
  ServiceAccount,
  Traits,
} from './contract';
import { entra } from './entra/kind';
import { acceptingOnly } from './forms';
import { ldap } from './ldap/kind';
import { okta } from './okta/kind';
import { pingOne } from './pingone/kind';
import { postgresRole } from './postgres-role/kind';
import { pull } from './pull/kind';
import { readableOnly } from './readable';
import { scim } from './scim/kind';
import { sqlColumn } from './sql-column/kind';
import { webhook } from './webhook/kind';

/** A kind whose settings are validated again when it is opened, so that callers need not know their type. */
export interface RegisteredKind {
  readonly kind: string;
  readonly title: string;
  readonly settings: z.ZodType;
  readonly secretSettings: readonly string[];
  readonly traits: Traits;
  /** Traits of a source with these settings. If the settings are not valid, the traits of the kind. */
  readonly traitsOf: (settings: unknown) => Traits;
  /** How the accounts of a source with these settings are distinguished. If the settings are not valid, exactly. */
  readonly namingOf: (settings: unknown) => Naming;
  readonly system?: AccountSystem;
  /** The account with which Lockstep signs in. Null if its name is not known, or the settings are not valid. */
  readonly serviceAccountOf: (settings: unknown) => ServiceAccount | null;
  readonly needs: readonly string[];
  readonly open: (settings: unknown, tools: ConnectorTools) => Promise<Connector>;
}

function register<Settings>(kind: ConnectorKind<Settings>): RegisteredKind {
  const traitsOf = (settings: Settings) => ({ ...kind.traits, ...kind.declared?.(settings) });
  return {
    ...kind,
    traitsOf(settings) {
      const parsed = kind.settings.safeParse(settings);
      return parsed.success ? traitsOf(parsed.data) : kind.traits;
    },
    namingOf(settings) {
      const parsed = kind.settings.safeParse(settings);
      return parsed.success ? kind.naming(parsed.data) : exactNaming;
    },
    serviceAccountOf(settings) {
      const parsed = kind.settings.safeParse(settings);
      return parsed.success ? (kind.signsInAs?.(parsed.data) ?? null) : null;
    },
    async open(settings, tools) {
      const parsed = kind.settings.parse(settings);
      return readableOnly(acceptingOnly(traitsOf(parsed).accepts, await kind.open(parsed, tools)));
    },
  };
}

/** Every kind of source that Lockstep supports. Add a line here to register a new one. */
const kinds: readonly RegisteredKind[] = [
  register(ldap),
  register(activeDirectory),
  register(postgresRole),
  register(sqlColumn),
  register(scim),
  register(okta),
  register(pingOne),
  register(entra),
  register(command),
  register(webhook),
  register(pull),
];

export const connectorKinds: ReadonlyMap<string, RegisteredKind> = new Map(
  kinds.map((kind) => [kind.kind, kind]),
);

type SourceSettings = NonNullable<Parameters<AccountRulesOf>[0]>;

/** Computed rules, by the sources of a configuration, then by the source. Every step of a change needs them. */
const knownRules = new WeakMap<object, WeakMap<object, AccountRules>>();
const NO_SOURCES = {};

/** How the accounts of a source are distinguished, and which of them Lockstep never touches, by the settings of the source. */
export const accountRulesOf: AccountRulesOf = (source, sources = NO_SOURCES) => {
  if (source === undefined) return exactRules;
  const known = knownRules.get(sources) ?? new WeakMap<object, AccountRules>();
  const rules = known.get(source) ?? computeRules(source, Object.values(sources));
  knownRules.set(sources, known.set(source, rules));
  return rules;
};

function computeRules(source: SourceSettings, sources: readonly SourceSettings[]): AccountRules {
  const kind = connectorKinds.get(source.kind);
  if (kind === undefined) return exactRules;
  const naming = kind.namingOf(source.settings);
  const services = [source, ...sources].flatMap((one) => {
    const service = connectorKinds.get(one.kind)?.serviceAccountOf(one.settings);
    return service != null && service.system === kind.system ? [service.name] : [];
  });
  const names = new Set(services.map(naming.canonicalName));
  return { naming, isServiceAccount: (name) => names.has(naming.canonicalName(name)) };
}
