import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Attribute, Change, type Client } from 'ldapts';
import { isRoot } from '../../local/places';
import type { CompanyAccount } from './company';
import { clientOf, manager, people, serviceDn, startRetroDs389 } from './retro-ds389';
import { server } from './servers';

const unique = (): string => randomBytes(9).toString('hex');

/** A 389 Directory Server that records passwords in its changelog, as a source with a relay that polls it. */
export interface RetroSource {
  /** Settings of the source in a configuration. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Settings of its relay that replace those of the setup. */
  readonly relay: Readonly<Record<string, unknown>>;
  /** An administrator's connection to the running server. */
  admin(): Client;
  addAccount(source: string): Promise<CompanyAccount>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRetroSource(): Promise<RetroSource> {
  // Servers that run as the user nobody must be able to enter this folder.
  const dir = mkdtempSync(path.join(isRoot ? '/var/tmp' : os.tmpdir(), 'ls-polled-'));
  const secrets = mkdtempSync(path.join(os.tmpdir(), 'ls-secret-'));
  const [relayPassword, adminPassword] = [unique(), unique()];
  const passwordFile = path.join(secrets, 'relay');
  chmodSync(dir, 0o755);
  writeFileSync(passwordFile, `${relayPassword}\n`, { mode: 0o600 });
  let ds = await startRetroDs389(path.join(dir, 'ds'), {
    ...{ admin: adminPassword, relay: relayPassword },
    // The same service password as in the other sources of the company.
    lockstep: server('slapd').lockstep ?? '',
  });
  let admin = await manager(ds, adminPassword);
  const shared = { url: ds.url, ca: ds.caFile, base: people };
  const bindPassword = `\${file:${passwordFile}}`;
  return {
    settings: { ...shared, bindDn: serviceDn('lockstep'), bindPassword: '${env:TEST_LDAP}' },
    relay: {
      poll: {
        kind: 'retro-changelog',
        settings: { ...shared, bindDn: serviceDn('relay'), bindPassword, erase: true },
      },
    },
    admin: () => admin,
    async addAccount(source) {
      const uid = `Person${unique()}`;
      const name = `uid=${uid},${people}`;
      const names = { objectClass: 'inetOrgPerson', uid, cn: uid, sn: 'Test' };
      await admin.add(name, { ...names, userPassword: unique() });
      return {
        ...{ source, name },
        async logsIn(password) {
          const person = clientOf(ds);
          const loggedIn = person.bind(name, password).then(
            () => true,
            () => false,
          );
          return loggedIn.finally(() => person.unbind());
        },
        async changeThere(password) {
          const modification = new Attribute({ type: 'userPassword', values: [password] });
          await admin.modify(name, new Change({ operation: 'replace', modification }));
        },
      };
    },
    async restart() {
      await admin.unbind();
      ds = await ds.restart();
      admin = await manager(ds, adminPassword);
    },
    async stop() {
      await admin.unbind();
      await ds.stop();
      for (const folder of [dir, secrets]) rmSync(folder, { recursive: true });
    },
  };
}
