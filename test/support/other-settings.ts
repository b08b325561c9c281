import { writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Sets the variables of a machine that has the same kinds of servers for other purposes, and writes the files that they
 * name into `dir`.
 * @returns what puts the environment back
 */
export function useOtherSettings(dir: string): () => void {
  const before = { ...process.env };
  const file = (name: string, content: string) => {
    writeFileSync(path.join(dir, name), content);
    return path.join(dir, name);
  };
  file('my.cnf', '[mysqld]\nskip-networking\ndatadir=/nonexistent\n');
  Object.assign(process.env, {
    ...{ PGHOST: '203.0.113.1', PGPORT: '1', PGUSER: 'other', PGPASSWORD: 'other' },
    ...{ PGDATABASE: 'other', PGSSLMODE: 'disable', PGDATA: '/nonexistent' },
    ...{ PGOPTIONS: '-c default_transaction_read_only=on', PGREPLICATION: 'true' },
    ...{ PGSSLNEGOTIATION: 'direct', PGCLIENT_ENCODING: 'none' },
    ...{ LDAPURI: 'ldap://203.0.113.1', LDAPTLS_REQCERT: 'demand', LDAPTLS_CACERT: '/none' },
    ...{ LDAPCONF: file('ldap.conf', 'TLS_PROTOCOL_MIN 9.9\nTLS_CIPHER_SUITE NONE\n') },
    ...{ MYSQL_HOST: '203.0.113.1', MYSQL_TCP_PORT: '1', MYSQL_UNIX_PORT: '/none' },
    ...{ MYSQL_HOME: dir, KRB5_CONFIG: '/none' },
    ...{ SMB_CONF_PATH: file('smb.conf', '[global]\nserver role = member server\n') },
  });
  return () => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  };
}
