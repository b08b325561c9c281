import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { Attribute, Change } from 'ldapts';
import { certificatesIn } from '../../../local/certificates';
import { administerDomain, rights } from '../../../local/domain-admin';
import { freeLoopback, installSamba, type Samba, startSamba } from '../../../local/samba';
import { Secret } from '../../../model/passwords/secret';
import { CannotBeHad, type ServerStarter } from '../servers';

/** Service accounts, with the rights of each on the accounts below the unit of people. */
const services = {
  /** Has the rights that the docs recommend. */
  lockstep: [rights.resetPassword, rights.writePwdLastSet, rights.writeLockoutTime],
  /** May reset passwords but not keep a forced change. */
  writer: [rights.resetPassword],
  /** May read, like every user. */
  reader: [],
} as const;

/**
 * A Samba domain. Facts: `host`, `port`, `serverName`, `base`, `caFile`, `otherCaFile`, `adminDn`, and the passwords of `admin`
 * and of each service account. Service accounts are below `CN=Users`, people below `OU=people`.
 */
export const samba: ServerStarter = {
  name: 'samba',
  start: async (dir, report) => {
    await installSamba(report).catch((error: Error) => {
      throw new CannotBeHad(error.message);
    });
    const address = await freeLoopback().catch((error: Error) => {
      throw new CannotBeHad(error.message);
    });
    const server = await startSamba({ dir, address, realm: 'ad.lockstep.test' });
    const passwords = await setUp(server, dir);
    const other = await certificatesIn(path.join(dir, 'other-authority'));
    const { base, adminDn, serverName, caFile } = server;
    return {
      facts: {
        ...{ host: address, port: '636', serverName, base, adminDn, caFile },
        ...{ otherCaFile: other.caFile, admin: server.adminPassword().text(), ...passwords },
      },
      stop: server.stop,
    };
  },
};

async function setUp(server: Samba, dir: string): Promise<Readonly<Record<string, string>>> {
  const admin = await administerDomain(server, dir);
  const people = await admin.addUnit('people');
  const lockout = new Attribute({ type: 'lockoutThreshold', values: ['5'] });
  await admin.client.modify(
    server.base,
    new Change({ operation: 'replace', modification: lockout }),
  );
  const passwords: Record<string, string> = {};
  for (const [name, given] of Object.entries(services)) {
    const password = `Service-${randomBytes(9).toString('base64url')}-1!`;
    passwords[name] = password;
    const users = `CN=Users,${server.base}`;
    const dn = await admin.addUser(users, name, Secret.fromText(password));
    await admin.delegate(people, dn, given);
  }
  await admin.close();
  return passwords;
}
