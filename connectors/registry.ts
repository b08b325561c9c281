import type { z } from 'zod';
import { activeDirectory } from './active-directory/kind';
import { command } from './command/kind';
import type { Connector, ConnectorKind, ConnectorTools, Traits } from './contract';
import { entra } from './entra/kind';
import { ldap } from './ldap/kind';
import { okta } from './okta/kind';
import { pingOne } from './pingone/kind';
import { postgresRole } from './postgres-role/kind';
import { scim } from './scim/kind';
import { sqlColumn } from './sql-column/kind';
import { webhook } from './webhook/kind';

/** A kind whose settings are checked again when it is opened, so that nobody needs to know their type. */
export interface RegisteredKind {
  readonly kind: string;
  readonly title: string;
  readonly settings: z.ZodType;
  readonly secretSettings: readonly string[];
  readonly traits: Traits;
  /** Whether a source says more of itself in its settings. */
  readonly declares: boolean;
  /** Of one source: what its settings say, and else its kind. */
  readonly traitsOf: (settings: unknown) => Traits;
  readonly needs: readonly string[];
  readonly open: (settings: unknown, tools: ConnectorTools) => Promise<Connector>;
}

const register = <Settings>(kind: ConnectorKind<Settings>): RegisteredKind => ({
  ...kind,
  declares: kind.declared !== undefined,
  traitsOf: (settings) => ({ ...kind.traits, ...kind.declared?.(kind.settings.parse(settings)) }),
  open: (settings, tools) => kind.open(kind.settings.parse(settings), tools),
});

/** Every kind of source that Lockstep can talk to. A new one is a line here. */
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
];

export const connectorKinds: ReadonlyMap<string, RegisteredKind> = new Map(
  kinds.map((kind) => [kind.kind, kind]),
);
