import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Attribute, Change, Client } from 'ldapts';
import { certificatesIn } from '../../../local/certificates';
import { freeLoopback, installSamba, type Samba, startSamba } from '../../../local/samba';
import { CannotBeHad, type ServerStarter } from '../servers';

const run = promisify(execFile);

/** Rights below the unit of people, as SDDL without the account. */
const RESET_PASSWORD = '(OA;CI;CR;00299570-246d-11d0-a768-00aa006e0529;;SID)';
const WRITE_PWD_LAST_SET = '(OA;CI;RPWP;bf967a0a-0de6-11d0-a285-00aa003049e2;;SID)';

/** Service accounts: what each may do below the unit of people. */
const services = {
  /** As an administrator should set it up. */
  lockstep: [RESET_PASSWORD, WRITE_PWD_LAST_SET],
  /** Resets passwords, but may not keep a forced change. */
  writer: [RESET_PASSWORD],
  /** Reads, as everybody may. */
  reader: [],
} as const;

/**
 * Facts: `host`, `port`, `serverName`, `base`, `caFile`, `otherCaFile`, `adminDn`, and the passwords of `admin` and of
 * each service account, which is below `CN=Users`. People are below `OU=people`.
 */
export const samba: ServerStarter = {
  name: 'samba',
  start: async (dir, report) => {
    await installSamba(report).catch((error: Error) => {
      throw new CannotBeHad(error.message);
    });
    const address = await freeLoopback();
    const server = await startSamba({ dir, address, realm: 'ad.lockstep.test' });
    const admin = server.adminPassword().text();
    const passwords = await setUp(server, dir, admin);
    const other = await certificatesIn(path.join(dir, 'other-authority'));
    const { base, adminDn, serverName, caFile } = server;
    return {
      facts: {
        ...{ host: address, port: '636', serverName, base, adminDn, caFile },
        ...{ otherCaFile: other.caFile, admin, ...passwords },
      },
      stop: server.stop,
    };
  },
};

async function setUp(
  server: Samba,
  dir: string,
  admin: string,
): Promise<Readonly<Record<string, string>>> {
  const { url, caFile, serverName, adminDn, base } = server;
  const tlsOptions = { ca: [readFileSync(caFile)], servername: serverName };
  const client = new Client({ url, tlsOptions, timeout: 10_000 });
  await client.bind(adminDn, admin);
  const people = `OU=people,${base}`;
  await client.add(people, { objectClass: 'organizationalUnit' });
  const lockout = { type: 'lockoutThreshold', values: ['5'] };
  await client.modify(
    base,
    new Change({ operation: 'replace', modification: new Attribute(lockout) }),
  );
  const passwords: Record<string, string> = {};
  for (const [name, rights] of Object.entries(services)) {
    const password = `Service-${randomBytes(9).toString('base64url')}-1!`;
    passwords[name] = password;
    const dn = `CN=${name},CN=Users,${base}`;
    await client.add(dn, accountAttributes(name, password));
    const { searchEntries } = await client.search(dn, {
      scope: 'base',
      attributes: ['objectSid'],
      explicitBufferAttributes: ['objectSid'],
    });
    const sid = sidText(searchEntries[0]?.objectSid as Buffer);
    for (const right of rights) await delegate(dir, people, right.replace('SID', sid));
  }
  await client.unbind();
  return passwords;
}

export const accountAttributes = (name: string, password: string): Attribute[] =>
  Object.entries({
    objectClass: ['user'],
    sAMAccountName: [name],
    userAccountControl: ['512'],
    unicodePwd: [Buffer.from(`"${password}"`, 'utf16le')],
  }).map(([type, values]) => new Attribute({ type, values: values as string[] }));

/** On the database itself: the tool would take a password only on its command line. */
async function delegate(dir: string, dn: string, sddl: string): Promise<void> {
  const database = path.join(dir, 'private', 'sam.ldb');
  const config = path.join(dir, 'smb.conf');
  await run('samba-tool', [
    ...['dsacl', 'set', '--action=allow', `--objectdn=${dn}`, `--sddl=${sddl}`],
    ...['-H', `tdb://${database}`, '-s', config],
  ]);
}

/** MS-DTYP §2.4.2.2. */
function sidText(sid: Buffer): string {
  const parts = Array.from({ length: sid[1] ?? 0 }, (_, index) => sid.readUInt32LE(8 + 4 * index));
  return ['S', sid[0], sid.readUIntBE(2, 6), ...parts].join('-');
}
