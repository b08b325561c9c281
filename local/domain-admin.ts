import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Attribute, Change, Client } from 'ldapts';
import type { Secret } from '../model/passwords/secret';
import { type KeptSamba, SAMBA_TOOL, sambaEnvironment } from './samba';

const run = promisify(execFile);

/** Rights below a unit, in SDDL (MS-ADTS §5.1.3.2), with SID in the place of the account that gets them. */
export const rights = {
  resetPassword: '(OA;CI;CR;00299570-246d-11d0-a768-00aa006e0529;;SID)',
  writePwdLastSet: '(OA;CI;RPWP;bf967a0a-0de6-11d0-a285-00aa003049e2;;SID)',
  writeLockoutTime: '(OA;CI;RPWP;28630ebf-41d5-11d1-a9c1-0000f80367c1;;SID)',
} as const;

/** The administrator of a local domain. */
export interface DomainAdmin {
  readonly client: Client;
  /** @returns its DN */
  addUnit(name: string): Promise<string>;
  /** @returns its DN */
  addUser(container: string, name: string, password: Secret, more?: Attributes): Promise<string>;
  resetPassword(dn: string, password: Secret): Promise<void>;
  /** Works on the database, because samba-tool accepts a password only on its command line. */
  delegate(container: string, toDn: string, given: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

type Attributes = Readonly<Record<string, string>>;

export async function administerDomain(server: KeptSamba, dir: string): Promise<DomainAdmin> {
  const { url, caFile, serverName, adminDn, base } = server;
  const tlsOptions = { ca: [readFileSync(caFile)], servername: serverName };
  const client = new Client({ url, tlsOptions, timeout: 10_000, connectTimeout: 10_000 });
  await client.bind(adminDn, server.adminPassword().text());
  return {
    client,
    async addUnit(name) {
      const dn = `OU=${name},${base}`;
      await client.add(dn, { objectClass: 'organizationalUnit' });
      return dn;
    },
    async addUser(container, name, password, more = {}) {
      const dn = `CN=${name},${container}`;
      await client.add(dn, userAttributes(name, password, more));
      return dn;
    },
    async resetPassword(dn, password) {
      const modification = unicodePassword(password);
      await client.modify(dn, new Change({ operation: 'replace', modification }));
    },
    async delegate(container, toDn, given) {
      const sid = await sidOf(client, toDn);
      for (const right of given)
        await run(
          SAMBA_TOOL,
          [
            ...['dsacl', 'set', '--action=allow', `--objectdn=${container}`],
            ...[`--sddl=${right.replace('SID', sid)}`],
            ...['-H', `tdb://${path.join(dir, 'private', 'sam.ldb')}`],
            ...['-s', path.join(dir, 'smb.conf')],
          ],
          { env: sambaEnvironment() },
        );
    },
    close: () => client.unbind(),
  };
}

const NORMAL_ACCOUNT = '512';

export const userAttributes = (
  name: string,
  password: Secret,
  more: Attributes = {},
): Attribute[] =>
  Object.entries({
    objectClass: ['user'],
    sAMAccountName: [name],
    userAccountControl: [NORMAL_ACCOUNT],
    unicodePwd: [unicodePwd(password)],
    ...Object.fromEntries(Object.entries(more).map(([type, value]) => [type, [value]])),
  }).map(([type, values]) => new Attribute({ type, values: values as string[] }));

/** The attribute that sets a password. */
export const unicodePassword = (password: Secret): Attribute =>
  new Attribute({ type: 'unicodePwd', values: [unicodePwd(password)] });

/** The password in quotes, as UTF-16 (MS-ADTS §3.1.1.3.1.5.1). */
const unicodePwd = (password: Secret): Buffer => Buffer.from(`"${password.text()}"`, 'utf16le');

async function sidOf(client: Client, dn: string): Promise<string> {
  const { searchEntries } = await client.search(dn, {
    scope: 'base',
    attributes: ['objectSid'],
    explicitBufferAttributes: ['objectSid'],
  });
  return sidText(searchEntries[0]?.objectSid as Buffer);
}

/** MS-DTYP §2.4.2.2. */
function sidText(sid: Buffer): string {
  const parts = Array.from({ length: sid[1] ?? 0 }, (_, index) => sid.readUInt32LE(8 + 4 * index));
  return ['S', sid[0], sid.readUIntBE(2, 6), ...parts].join('-');
}
