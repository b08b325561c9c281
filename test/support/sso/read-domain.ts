import { readFileSync } from 'node:fs';
import { Attribute, Change, Client } from 'ldapts';
import { rights } from '../../../local/domain-admin';
import type { SyncingDomain } from '../../../local/syncing-domain';
import { Secret } from '../../../model/passwords/secret';
import { serviceSecret } from '../company';
import type { ExternalSystem } from './external';

const PASSWORD = '${env:TEST_LDAP}';

/**
 * A Samba domain whose passwords the reader of Lockstep captures, as the directory of a test company.
 * @param people the names of accounts that exist, each of which is added to one person
 */
export async function readDomain(
  { samba, admin, dnOf }: SyncingDomain,
  people: readonly string[],
): Promise<ExternalSystem> {
  // Turns off the complexity rules of the domain, which random passwords could violate.
  const modification = new Attribute({ type: 'pwdProperties', values: ['0'] });
  await admin.client.modify(samba.base, new Change({ operation: 'replace', modification }));
  const bindDn = await admin.addUser(`CN=Users,${samba.base}`, 'lockstep', serviceSecret(PASSWORD));
  const given = [rights.resetPassword, rights.writePwdLastSet];
  await admin.delegate(`OU=people,${samba.base}`, bindDn, given);
  const free = [...people];
  const { hostname, port } = new URL(samba.url);
  return {
    address: { host: hostname, port: Number(port || 636) },
    configuration: (at) => ({
      kind: 'active-directory',
      settings: {
        ...{ url: `ldaps://${at.host}:${at.port}`, ca: samba.caFile, base: samba.base },
        ...{ serverName: samba.serverName, bindDn, bindPassword: PASSWORD, timeoutMs: 5_000 },
      },
    }),
    async addAccount(source) {
      const name = dnOf(free.shift() ?? '');
      return {
        ...{ source, name },
        async logsIn(password) {
          const tlsOptions = { ca: [readFileSync(samba.caFile)], servername: samba.serverName };
          const client = new Client({ url: samba.url, tlsOptions, timeout: 10_000 });
          return client
            .bind(name, password)
            .then(() => true)
            .catch(() => false)
            .finally(() => client.unbind());
        },
        async changeThere(password) {
          const secret = Secret.fromText(password);
          await admin.resetPassword(name, secret);
          secret.destroy();
        },
      };
    },
    remove: ({ name }) => admin.client.del(name),
    // Its own server stops with the suite.
    stop: async () => {},
  };
}
