import type { z } from 'zod';
import type { Form } from '../model/encoding';
import { activeDirectory } from './active-directory/kind';
import type { Connector, ConnectorKind, ConnectorTools, Traits } from './contract';
import { entra } from './entra/kind';
import { takingOnly } from './forms';
import { ldap } from './ldap/kind';
import { okta } from './okta/kind';
import { pingOne } from './pingone/kind';
import { postgresRole } from './postgres-role/kind';
import { scim } from './scim/kind';
import { sqlColumn } from './sql-column/kind';

/** A kind whose settings are checked again when it is opened, so that nobody needs to know their type. */
export interface RegisteredKind {
  readonly kind: string;
  readonly title: string;
  readonly settings: z.ZodType;
  readonly secretSettings: readonly string[];
  readonly traits: Traits;
  readonly needs: readonly string[];
  /** Whatever the kind takes where the settings are not right. */
  readonly accepts: (settings: unknown) => readonly Form[];
  readonly open: (settings: unknown, tools: ConnectorTools) => Promise<Connector>;
}

function register<Settings>(kind: ConnectorKind<Settings>): RegisteredKind {
  const accepts = (settings: Settings) => kind.accepts?.(settings) ?? kind.traits.accepts;
  return {
    ...kind,
    accepts(settings) {
      const parsed = kind.settings.safeParse(settings);
      return parsed.success ? accepts(parsed.data) : kind.traits.accepts;
    },
    async open(settings, tools) {
      const parsed = kind.settings.parse(settings);
      return takingOnly(accepts(parsed), await kind.open(parsed, tools));
    },
  };
}

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
];

export const connectorKinds: ReadonlyMap<string, RegisteredKind> = new Map(
  kinds.map((kind) => [kind.kind, kind]),
);
