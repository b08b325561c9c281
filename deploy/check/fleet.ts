import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { SourceName } from '../../bench/people';
import { NODE_FLAGS } from '../../local/node-process';
import { freePort } from '../../local/ports';
import type { RunningServer } from '../../local/processes';
import type { Company } from './company';
import { startProcess } from './lockstep';

/** A process of the two-machine size: it runs as a user of its own, on ports of its own. */
export interface Member {
  readonly name: string;
  readonly kind: 'api' | 'worker';
  /** Of the api. */
  readonly url: string;
  /** Ends it at once, as a machine that fails. */
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** Starts it. @param dist built code; by default that of the last start */
  start(dist?: string): Promise<void>;
}

export interface Fleet {
  readonly apis: readonly Member[];
  readonly workers: readonly Member[];
  readonly members: readonly Member[];
  readonly adminKeyFile: string;
  readonly secretFiles: Company['secretFiles'];
  /** The source to which the last worker is bound. It holds only the secret of this source, and no other worker does. */
  readonly isolated?: SourceName | undefined;
  stop(): Promise<void>;
}

/** Users that no system has. The workers share one, because they share the key folder; each api has its own. */
const WORKER_UID = 20_001;
const FIRST_API_UID = 20_002;

/** Two apis and three workers that share one database and one engine. None of them runs yet. */
export async function prepareFleet(
  company: Company,
  workDir: string,
  isolated?: SourceName,
): Promise<Fleet> {
  const files = sharedFiles(company, workDir, isolated);
  const workers = await Promise.all([
    worker('worker-1', company, workDir, files),
    worker('worker-2', company, workDir, files),
    isolated === undefined
      ? worker('worker-3', company, workDir, files)
      : boundWorker('worker-3', company, workDir, files, isolated),
  ]);
  const apis = await Promise.all(
    ['api-1', 'api-2'].map((name, index) =>
      api(name, FIRST_API_UID + index, company, workDir, files),
    ),
  );
  const members = [...workers, ...apis];
  return {
    apis,
    workers,
    members,
    adminKeyFile: files.adminKey,
    secretFiles: files.secretFiles,
    isolated,
    stop: async () => {
      for (const member of members) await member.stop();
    },
  };
}

function sharedFiles({ secretFiles }: Company, workDir: string, isolated?: SourceName) {
  const folder = (name: string, uid: number) => {
    const dir = path.join(workDir, name);
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    chownSync(dir, uid, uid);
    return dir;
  };
  const home = folder('worker', WORKER_UID);
  const secrets = folder('worker-secrets', WORKER_UID);
  const boundSecrets = folder('bound-secrets', WORKER_UID);
  const copies = Object.entries(secretFiles).map(([source, file]) => {
    const target = path.join(source === isolated ? boundSecrets : secrets, source);
    copyFileSync(file, target);
    chownSync(target, WORKER_UID, WORKER_UID);
    chmodSync(target, 0o400);
    return [source, target];
  });
  return {
    folder,
    home,
    secrets,
    boundSecrets,
    secretFiles: Object.fromEntries(copies) as Company['secretFiles'],
    fingerprintKey: randomBytes(32),
    signer: path.join(home, 'keys', 'signer.pub.json'),
    adminKey: path.join(workDir, 'api-1', 'admin-key'),
  };
}
type Files = ReturnType<typeof sharedFiles>;

function giveKey(file: string, uid: number, key: Buffer): void {
  writeFileSync(file, key, { mode: 0o600 });
  chownSync(file, uid, uid);
}

async function worker(
  name: string,
  company: Company,
  workDir: string,
  files: Files,
): Promise<Member> {
  const opsPort = await freePort();
  const fingerprints = path.join(files.home, 'fingerprint.key');
  giveKey(fingerprints, WORKER_UID, files.fingerprintKey);
  return member({
    name,
    kind: 'worker',
    uid: WORKER_UID,
    opsPort,
    url: '',
    workDir,
    env: {
      DATABASE_URL: company.databaseUrl,
      TEMPORAL_ADDRESS: company.temporalAddress,
      LOCKSTEP_KEY_DIR: path.join(files.home, 'keys'),
      LOCKSTEP_AUDIT_ANCHOR_FILE: path.join(files.home, `${name}-anchors.jsonl`),
      LOCKSTEP_FINGERPRINT_KEY_FILE: fingerprints,
      LOCKSTEP_SECRETS_DIR: files.secrets,
      LOCKSTEP_WORKER_OPS_PORT: `${opsPort}`,
    },
    beforeStart: () => {},
  });
}

/** A worker of one source, as docs/deploying.md describes it: of the key folder it sees the keys of epochs. */
async function boundWorker(
  name: string,
  company: Company,
  workDir: string,
  files: Files,
  source: SourceName,
): Promise<Member> {
  const opsPort = await freePort();
  const keys = files.folder('bound-keys', WORKER_UID);
  symlinkSync(path.join(files.home, 'keys/epochs'), path.join(keys, 'epochs'));
  return member({
    name,
    kind: 'worker',
    uid: WORKER_UID,
    opsPort,
    url: '',
    workDir,
    env: {
      DATABASE_URL: company.databaseUrl,
      TEMPORAL_ADDRESS: company.temporalAddress,
      LOCKSTEP_KEY_DIR: keys,
      LOCKSTEP_SECRETS_DIR: files.boundSecrets,
      LOCKSTEP_WORKER_SOURCES: source,
      LOCKSTEP_WORKER_OPS_PORT: `${opsPort}`,
    },
    beforeStart: () => {},
  });
}

async function api(
  name: string,
  uid: number,
  company: Company,
  workDir: string,
  files: Files,
): Promise<Member> {
  const home = files.folder(name, uid);
  const port = await freePort();
  const opsPort = await freePort();
  const fingerprints = path.join(home, 'fingerprint.key');
  giveKey(fingerprints, uid, files.fingerprintKey);
  const signer = path.join(home, 'signer.pub.json');
  return member({
    name,
    kind: 'api',
    uid,
    opsPort,
    url: `http://127.0.0.1:${port}`,
    workDir,
    env: {
      DATABASE_URL: company.databaseUrl,
      LOCKSTEP_API_PORT: `${port}`,
      LOCKSTEP_API_OPS_PORT: `${opsPort}`,
      LOCKSTEP_SIGNER_FILE: signer,
      LOCKSTEP_FINGERPRINT_KEY_FILE: fingerprints,
      LOCKSTEP_ADMIN_KEY_FILE: path.join(home, 'admin-key'),
    },
    // What place-file.mjs does on a machine.
    beforeStart: () => {
      copyFileSync(files.signer, signer);
      chmodSync(signer, 0o444);
    },
  });
}

interface MemberSpec {
  readonly name: string;
  readonly kind: Member['kind'];
  readonly uid: number;
  readonly opsPort: number;
  readonly url: string;
  readonly workDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly beforeStart: () => void;
}

function member({ uid, opsPort, workDir, env, beforeStart, ...named }: MemberSpec): Member {
  let server: RunningServer | null = null;
  let code = path.join(__dirname, '../..');
  return {
    ...named,
    async kill() {
      if (server !== null) process.kill(server.pid, 'SIGKILL');
      await server?.exited;
    },
    stop: async () => server?.stop(),
    async start(dist = code) {
      code = dist;
      beforeStart();
      server = await startProcess({
        name: named.name,
        command: '/usr/bin/setpriv',
        args: [
          ...[`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--pdeathsig', 'TERM'],
          ...[process.execPath, ...NODE_FLAGS, path.join(code, named.kind, 'main.js')],
        ],
        env: { PATH: '/usr/bin:/bin', ...env },
        logFile: path.join(workDir, `${named.name}.log`),
        opsPort,
      });
    },
  };
}
