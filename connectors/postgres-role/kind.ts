import type { ConnectorKind } from '../contract';
import { openPostgresRole } from './connector';
import { type PostgresRoleSettings, postgresRoleSettings } from './settings';

/** The login roles of a PostgreSQL server. An account is a role: its name, and its oid as native id. */
export const postgresRole: ConnectorKind<PostgresRoleSettings> = {
  kind: 'postgres-role',
  title: 'PostgreSQL roles',
  settings: postgresRoleSettings,
  secretSettings: ['password'],
  // A verifier is made here, so that no password reaches the server or its log.
  traits: { proof: 'login', repeatable: true, accepts: ['hash'] },
  open: async (settings, tools) => openPostgresRole(await import('pg'), settings, tools),
};
