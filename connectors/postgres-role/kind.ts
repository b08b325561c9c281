import type { ConnectorKind } from '../contract';
import { openPostgresRole } from './connector';
import { type PostgresRoleSettings, postgresRoleSettings } from './settings';

/** The login roles of a PostgreSQL server. An account is a role: its name, and its oid as native id. */
export const postgresRole: ConnectorKind<PostgresRoleSettings> = {
  kind: 'postgres-role',
  title: 'PostgreSQL roles',
  settings: postgresRoleSettings,
  secretSettings: ['password'],
  traits: {
    proof: 'login',
    repeatable: true,
    // A verifier is made here, so that no password reaches the server or its log.
    accepts: ['scram-sha-256'],
    yields: ['plaintext', 'hash'],
  },
  needs: [
    'TLS with a certificate that can be checked, and `scram-sha-256` in `pg_hba.conf` for the roles.',
    'A service role with `CREATEROLE`, no superuser. From PostgreSQL 16 on it also needs the admin option on the roles, which it has of those that it made.',
    'The SCRAM verifier is made by Lockstep: the password never reaches the server, nor its log.',
    'Superusers are never written.',
    'A verifier that comes from elsewhere is stored as it is. To prove that, the service role needs `SELECT` on `pg_authid`, which a superuser can grant in the database that it connects to; without it such a write is told as not proved.',
  ],
  open: async (settings, tools) => openPostgresRole(await import('pg'), settings, tools),
};
