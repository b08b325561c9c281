import { Change, type Client } from 'ldapts';
import { unicodePassword } from '../../../local/domain-admin';
import { Secret } from '../../../model/passwords/secret';
import { domainAdmin } from '../../connectors/active-directory-subject';
import type { CompanyAccount } from '../company';
import { server } from '../servers';
import type { ExternalSystem } from './external';

/** The shared Samba domain as the directory of a test company. It rejects a password of a single kind of characters. */
export async function sharedDomain(): Promise<ExternalSystem> {
  const admin = await domainAdmin();
  const { host = '', port, serverName, base, caFile: ca } = server('samba');
  return {
    address: { host, port: Number(port) },
    configuration: (at) => ({
      kind: 'active-directory',
      settings: {
        ...{ url: `ldaps://${at.host}:${at.port}`, ca, serverName, base, timeoutMs: 5_000 },
        ...{ bindDn: `CN=lockstep,CN=Users,${base}`, bindPassword: '${env:TEST_DOMAIN}' },
      },
    }),
    async addAccount(source): Promise<CompanyAccount> {
      const account = await admin.addAccount();
      const { name } = account.ref;
      return {
        ...{ source, name },
        logsIn: (password) => admin.logsIn(account, password),
        changeThere: (password) => resetIn(admin.client, name, password),
      };
    },
    remove: ({ name }) => admin.client.del(name),
    stop: () => admin.close(),
  };
}

async function resetIn(client: Client, dn: string, password: string): Promise<void> {
  const secret = Secret.fromText(password);
  await client.modify(
    dn,
    new Change({ operation: 'replace', modification: unicodePassword(secret) }),
  );
  secret.destroy();
}
