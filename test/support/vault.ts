import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Agent, request } from 'undici';
import { inheritedEnvironment } from '../../config';
import { certificatesIn } from '../../local/certificates';
import { cacheDir } from '../../local/places';
import { freePort, loopback } from '../../local/ports';
import { startServer } from '../../local/processes';

const run = promisify(execFile);

const MODULE = 'github.com/hashicorp/vault';
/** A version under the Mozilla Public License. Releases of OpenBao cannot be fetched as Go modules. */
const VERSION = 'v1.14.2';
/**
 * Replaced texts of the source. Its sdk refuses paths that can create something and do not declare how they look for it, so
 * that the server would fail at its first request. These are placeholders of the enterprise edition and the size of a cache.
 */
const PATCHES = [
  ['vault/logical_system_helpers.go', 'logical.CreateOperation, ', ''],
  [
    'builtin/logical/transit/path_cache_config.go',
    'logical.CreateOperation: ',
    'logical.PatchOperation: ',
  ],
] as const;
/** Parts that the module replaces by folders, which a module archive lacks. */
const PARTS = ['api', 'api/auth/approle', 'api/auth/kubernetes', 'api/auth/userpass', 'sdk'];

const KEY = 'lockstep';

/** The rights that docs/master-secret.md names. */
const POLICY = `
path "transit/encrypt/${KEY}" { capabilities = ["update"] }
path "transit/decrypt/${KEY}" { capabilities = ["update"] }`;

export interface Vault {
  readonly url: string;
  readonly key: string;
  readonly caFile: string;
  /** A token with the rights of Lockstep. */
  readonly token: string;
  seal(): Promise<void>;
  unseal(): Promise<void>;
  /** Makes a new version of the key, and ends the older ones. */
  rotate(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Builds the server once for each machine, which takes ten minutes and more on two cores.
 * @throws Error when Go is missing or the module cannot be fetched
 */
async function builtVault(): Promise<string> {
  const dir = path.join(cacheDir(), `vault-${VERSION}`);
  const program = path.join(dir, 'vault');
  if (existsSync(program)) return program;
  process.stderr.write(`building HashiCorp Vault ${VERSION} from its Go module\n`);
  const env = inheritedEnvironment();
  mkdirSync(dir, { recursive: true });
  const { stdout } = await run('go', ['mod', 'download', '-json', `${MODULE}@${VERSION}`], { env });
  const source = path.join(dir, 'source');
  cpSync(JSON.parse(stdout).Dir, source, { recursive: true });
  await run('chmod', ['-R', 'u+w', source]);
  for (const [name, text, instead] of PATCHES) {
    const file = path.join(source, name);
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(text, instead));
  }
  const go = (...args: string[]) => run('go', args, { cwd: source, env, maxBuffer: 1e8 });
  const parts = PARTS.map((part) => `${MODULE}/${part}`);
  await go('mod', 'edit', ...parts.map((part) => `-dropreplace=${part}`));
  await go('mod', 'download', ...parts);
  // No test needs the debug data.
  await go('build', '-ldflags=-s -w', '-o', program, '.');
  return program;
}

/**
 * Starts a Vault or OpenBao with a transit engine, on loopback with TLS.
 * @param program its program, or `build`
 */
export async function startVault(dir: string, program: string): Promise<Vault> {
  const files = await certificatesIn(dir);
  const [api, cluster] = [await freePort(), await freePort()];
  const origin = `https://127.0.0.1:${api}`;
  const configFile = path.join(dir, 'vault.json');
  const listener = {
    address: `127.0.0.1:${api}`,
    cluster_address: `127.0.0.1:${cluster}`,
    tls_cert_file: files.certFile,
    tls_key_file: files.keyFile,
  };
  writeFileSync(
    configFile,
    JSON.stringify({ storage: { inmem: {} }, listener: { tcp: listener }, disable_mlock: true }),
  );
  const server = await startServer({
    name: 'Vault',
    command: program === 'build' ? await builtVault() : program,
    args: ['server', '-config', configFile],
    env: { HOME: dir },
    logFile: path.join(dir, 'vault.log'),
    stopSignal: 'SIGTERM',
    listeners: [{ ...loopback(api), proof: { by: 'certificate', caFile: files.caFile } }],
  });
  const dispatcher = new Agent({ connect: { ca: readFileSync(files.caFile) } });
  let root = '';
  const call = async (method: 'POST' | 'PUT', at: string, body: object) => {
    const { statusCode, body: answer } = await request(`${origin}/v1/${at}`, {
      dispatcher,
      method,
      headers: { 'x-vault-token': root },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (statusCode >= 300) throw new Error(`${at}: ${statusCode} ${text}`);
    return text === '' ? {} : JSON.parse(text);
  };
  const init = await call('PUT', 'sys/init', { secret_shares: 1, secret_threshold: 1 });
  root = init.root_token;
  const unseal = async () => void (await call('PUT', 'sys/unseal', { key: init.keys[0] }));
  await unseal();
  await call('POST', 'sys/mounts/transit', { type: 'transit' });
  await call('POST', `transit/keys/${KEY}`, {});
  await call('PUT', 'sys/policies/acl/lockstep', { policy: POLICY });
  const { auth } = await call('POST', 'auth/token/create', { policies: ['lockstep'] });
  return {
    url: `${origin}/v1/transit`,
    key: KEY,
    caFile: files.caFile,
    token: auth.client_token,
    unseal,
    seal: async () => void (await call('PUT', 'sys/seal', {})),
    async rotate() {
      await call('POST', `transit/keys/${KEY}/rotate`, {});
    },
    async stop() {
      await dispatcher.close();
      await server.stop();
    },
  };
}
