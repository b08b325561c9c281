import { exactNaming } from '../../model/people/naming';
import type { ConnectorKind } from '../contract';
import { openPostgresRole } from './connector';
import { type PostgresRoleSettings, postgresRoleSettings } from './settings';

/** The login roles of a PostgreSQL server. An account is a role. Its name is the role's; its native id is the oid. */
export const postgresRole: ConnectorKind<PostgresRoleSettings> = {
  kind: 'postgres-role',
  title: 'PostgreSQL roles',
  settings: postgresRoleSettings,
  secretSettings: ['password'],
  traits: {
    proof: 'login',
    repeatable: true,
    // The connector makes the verifier, so that no password reaches the server or its log.
    accepts: ['scram-sha-256'],
    yields: ['plaintext', 'hash'],
    reportsCurrent: true,
    actions: [],
  },
  // An oid is unique only now: after a dump and restore each role has another one.
  naming: () => exactNaming,
  system: 'postgresql',
  signsInAs: ({ user }) => ({ system: 'postgresql', name: user }),
  needs: [
    'TLS with a certificate that can be checked, and `scram-sha-256` in `pg_hba.conf` for the roles.',
    'A service role with `CREATEROLE` that is not a superuser. From PostgreSQL 16 on it also needs the admin option on the roles, which it has for the roles that it created.',
    'Lockstep makes the SCRAM verifier, so the password reaches neither the server nor its log.',
    'Lockstep never writes the password of a superuser or of the service role.',
    'Name and oid of a role must both agree with the link. After a dump and restore every role has another oid, so each write is refused until a refresh links the roles again.',
    'A verifier that comes from another system is stored unchanged. To verify it, the service role needs `SELECT` on `pg_authid`, which a superuser can grant in the database that the role connects to. Without that right, such a write is reported as not verified.',
  ],
  open: async (settings, tools) => openPostgresRole(await import('pg'), settings, tools),
};
