import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { issuerOf, type ProviderUser } from '../../local/demo/identity-provider';
import { freePort, loopback } from '../../local/ports';
import { startServer } from '../../local/processes';

/** A real OpenID Connect provider in a process of its own, and the variables with which an api uses it. */
export interface TestProvider {
  readonly issuer: string;
  /** For the process of the api. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const SECRET = 'the secret of the client';

/**
 * Starts a provider whose only client is an api on a port that it chooses.
 * @param users what the provider states about each user
 * @param settings more of the file LOCKSTEP_SIGN_IN_FILE
 */
export async function startProvider(
  users: Readonly<Record<string, ProviderUser['claims']>>,
  settings: Readonly<Record<string, unknown>>,
): Promise<TestProvider> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-provider-'));
  const [port, apiPort] = [await freePort(), await freePort()];
  const api = `http://127.0.0.1:${apiPort}`;
  const files = { spec: path.join(dir, 'spec.json'), secret: path.join(dir, 'secret') };
  const signIn = path.join(dir, 'sign-in.yaml');
  const spec = {
    port,
    clientId: 'lockstep',
    clientSecret: SECRET,
    callback: `${api}/sign-in/callback`,
    back: `${api}/signed-out`,
    users: Object.entries(users).map(([login, claims]) => ({ login, claims })),
  };
  writeFileSync(files.spec, JSON.stringify(spec));
  writeFileSync(files.secret, `${SECRET}\n`);
  const issuer = issuerOf({ port });
  const document = { issuer, clientId: 'lockstep', clientSecretFile: files.secret, ...settings };
  writeFileSync(signIn, stringify(document));
  const server = await startServer({
    name: 'the identity provider',
    command: process.execPath,
    args: [
      ...['-r', path.join(__dirname, 'typescript.cjs')],
      path.resolve(__dirname, '../../local/demo/identity-provider-main.ts'),
      files.spec,
    ],
    env: { PATH: process.env.PATH },
    logFile: path.join(dir, 'provider.log'),
    stopSignal: 'SIGTERM',
    listeners: [{ ...loopback(port), proof: { by: 'owner' } }],
  });
  return {
    issuer,
    env: { LOCKSTEP_API_PORT: String(apiPort), LOCKSTEP_SIGN_IN_FILE: signIn },
    async stop() {
      await server.stop();
      rmSync(dir, { recursive: true });
    },
  };
}
