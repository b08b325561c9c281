import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'ldapts';
import type { Secret } from '../../model/passwords/secret';
import type { Report } from '../debian';
import { administerDomain, type DomainAdmin, rights } from '../domain-admin';
import { serverDir } from '../places';
import { freeLoopback, installSamba, type KeptSamba, superviseSamba } from '../samba';
import { mailOf, people } from './company';
import { randomPassword } from './directories';

/** The Active Directory of the company: a Samba domain controller. */
export interface DemoDomain {
  readonly settings: Readonly<Record<string, unknown>>;
  account(name: string): { readonly name: string; login(password: Secret): Promise<boolean> };
  /** Does what an administrator would do. */
  resetPassword(name: string, password: Secret): Promise<void>;
  stop(): Promise<void>;
}

const REALM = 'ad.harborlane.example';
const UNIT = 'people';
const SERVICE = 'lockstep';

/** @param service the password of the service account of Lockstep */
export async function startDomain(
  stateDir: string,
  service: Secret,
  report: Report,
): Promise<DemoDomain> {
  await installSamba(report);
  const dir = serverDir(stateDir, 'samba');
  const server = await superviseSamba({ dir, address: await freeLoopback(), realm: REALM });
  await populate(server, dir, service);
  const dnOf = (name: string) => `CN=${name},OU=${UNIT},${server.base}`;
  return {
    settings: {
      url: server.url,
      ca: server.caFile,
      serverName: server.serverName,
      bindDn: `CN=${SERVICE},CN=Users,${server.base}`,
      base: `OU=${UNIT},${server.base}`,
    },
    account: (name) => ({ name: dnOf(name), login: (word) => login(server, dnOf(name), word) }),
    resetPassword: (name, password) =>
      withAdmin(server, dir, (admin) => admin.resetPassword(dnOf(name), password)),
    stop: () => server.stop(),
  };
}

/** Adds, once, the people of the apps directory and a service account that may only reset their passwords. */
async function populate(server: KeptSamba, dir: string, service: Secret): Promise<void> {
  const mark = path.join(dir, 'populated');
  if (existsSync(mark)) return;
  await withAdmin(server, dir, async (admin) => {
    const unit = await admin.addUnit(UNIT);
    for (const one of people.filter(({ apps }) => apps))
      await admin.addUser(unit, one.name, randomPassword(), { mail: mailOf(one) });
    const account = await admin.addUser(`CN=Users,${server.base}`, SERVICE, service);
    await admin.delegate(unit, account, Object.values(rights));
  });
  writeFileSync(mark, '');
}

async function withAdmin(
  server: KeptSamba,
  dir: string,
  work: (admin: DomainAdmin) => Promise<void>,
): Promise<void> {
  const admin = await administerDomain(server, dir);
  try {
    await work(admin);
  } finally {
    await admin.close();
  }
}

const INVALID_CREDENTIALS = 49;

async function login(server: KeptSamba, dn: string, password: Secret): Promise<boolean> {
  const client = new Client({
    url: server.url,
    tlsOptions: { ca: [readFileSync(server.caFile)], servername: server.serverName },
    timeout: 10_000,
    connectTimeout: 10_000,
  });
  try {
    await client.bind(dn, password.text());
    return true;
  } catch (error) {
    if ((error as { code?: number }).code === INVALID_CREDENTIALS) return false;
    throw error;
  } finally {
    await client.unbind();
  }
}
