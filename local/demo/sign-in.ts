import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { freePort, loopback } from '../ports';
import { type RunningServer, startServer } from '../processes';
import { mailOf, people } from './company';
import { issuerOf, type ProviderSpec, type ProviderUser } from './identity-provider';

/** The sign-in of the demo: an identity provider with the people of Harbor Lane, and its staff. */
export interface DemoSignIn {
  readonly issuer: string;
  /** For LOCKSTEP_SIGN_IN_FILE. */
  readonly file: string;
  start(apiUrl: string): Promise<RunningServer>;
}

const staff = [
  { login: 'dora.quill', name: 'Dora Quill', group: 'it-support', role: 'help-desk' },
  { login: 'olaf.reyes', name: 'Olaf Reyes', group: 'it-operations', role: 'operator' },
  { login: 'ines.falk', name: 'Ines Falk', group: 'lockstep-admins', role: 'administrator' },
  { login: 'tom.audley', name: 'Tom Audley', group: 'internal-audit', role: 'auditor' },
] as const;

const users: readonly ProviderUser[] = [
  ...staff.map(({ login, name, group, role }) => ({
    login,
    title: `${name}, ${role.replace('-', ' ')}`,
    claims: { name, preferred_username: login, groups: [group] },
  })),
  ...people.map((person) => ({
    login: person.name,
    title: person.fullName,
    claims: {
      ...{ name: person.fullName, preferred_username: person.name, email: mailOf(person) },
      ...{ email_verified: true, groups: ['staff'] },
    },
  })),
];

/** Prepares the provider. @returns null if its package is not installed, as in a production installation */
export async function prepareSignIn(stateDir: string): Promise<DemoSignIn | null> {
  if (!isInstalled()) return null;
  const dir = path.resolve(stateDir, 'demo');
  mkdirSync(dir, { recursive: true });
  const port = await freePort();
  const file = path.join(dir, 'sign-in.yaml');
  const issuer = issuerOf({ port });
  writeFileSync(file, stringify(settingsFor(issuer)));
  return { issuer, file, start: (apiUrl) => start(dir, port, apiUrl) };
}

function isInstalled(): boolean {
  try {
    require.resolve('oidc-provider');
    return true;
  } catch {
    return false;
  }
}

const settingsFor = (issuer: string) => ({
  issuer,
  clientId: 'lockstep',
  title: 'Harbor Lane',
  roles: [
    ...staff.map(({ group, role }) => ({ group, roles: [role] })),
    { group: 'staff', roles: ['person'] },
  ],
});

function start(dir: string, port: number, apiUrl: string): Promise<RunningServer> {
  const spec: ProviderSpec = {
    ...{ port, clientId: 'lockstep', clientSecret: null, users },
    callback: `${apiUrl}/sign-in/callback`,
    back: `${apiUrl}/signed-out`,
  };
  const specFile = path.join(dir, 'identity-provider.json');
  writeFileSync(specFile, JSON.stringify(spec));
  return startServer({
    name: 'the identity provider of the demo',
    command: process.execPath,
    args: [path.join(__dirname, 'identity-provider-main.js'), specFile],
    env: {},
    logFile: path.join(dir, 'identity-provider.log'),
    stopSignal: 'SIGTERM',
    listeners: [{ ...loopback(port), proof: { by: 'owner' } }],
  });
}
