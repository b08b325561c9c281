import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { inheritedEnvironment } from '../config';
import type { Report } from './debian';
import { cacheDir } from './places';
import { freePort, loopback } from './ports';
import { createDatabase, type LocalPostgres } from './postgres';
import { type RunningServer, startServer } from './processes';

const run = promisify(execFile);

/** The server that the Temporal CLI of `temporal.ts` contains. */
const VERSION = 'v1.32.0';
const MODULE = 'go.temporal.io/server';

export interface TemporalCluster extends RunningServer {
  /** host:port of the frontend. */
  readonly address: string;
}

interface Programs {
  readonly server: string;
  readonly sqlTool: string;
}

/**
 * Builds the Temporal server and its schema tool from their Go module, once for each machine: there is no package of
 * them. Takes more than ten minutes on two cores.
 * @throws Error when Go is missing or the module cannot be fetched
 */
async function temporalPrograms(report: Report): Promise<Programs> {
  const dir = path.join(cacheDir(), `temporal-server-${VERSION}`);
  const programs = { server: path.join(dir, 'server'), sqlTool: path.join(dir, 'sql') };
  if (existsSync(programs.server) && existsSync(programs.sqlTool)) return programs;
  report(`building the Temporal server ${VERSION} from its Go module, which takes some minutes`);
  const env = { ...inheritedEnvironment(), GOBIN: dir };
  for (const part of ['cmd/server', 'cmd/tools/sql'])
    await run('go', ['install', `${MODULE}/${part}@${VERSION}`], { env }).catch((error: Error) => {
      throw new Error(
        `The Temporal server cannot be built. Go 1.24 or newer is needed.\n${error.message}`,
      );
    });
  return programs;
}

/** Databases of the engine, by the schema that the tool contains for each. */
const schemas = {
  temporal: 'postgresql/v12/temporal',
  temporal_visibility: 'postgresql/v12/visibility',
} as const;

/**
 * Starts a Temporal server with its history and visibility in PostgreSQL, as in production, in one process on loopback.
 * It has no namespace: a worker of Lockstep creates its own.
 */
export async function startTemporalCluster(options: {
  readonly dir: string;
  readonly postgres: LocalPostgres;
  readonly report: Report;
}): Promise<TemporalCluster> {
  const { dir, postgres, report } = options;
  const programs = await temporalPrograms(report);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  report('creating the databases of the Temporal server');
  for (const [database, schema] of Object.entries(schemas)) {
    await createDatabase(postgres, database);
    const tool = (...args: string[]) =>
      run(programs.sqlTool, args, { env: toolEnvironment(postgres, database) });
    await tool('setup-schema', '-v', '0.0');
    await tool('update-schema', '--schema-name', schema);
  }
  const ports = {
    frontend: await freePort(),
    history: await freePort(),
    matching: await freePort(),
    worker: await freePort(),
  };
  const configFile = path.join(dir, 'server.yaml');
  const membership = await Promise.all(Object.keys(ports).map(() => freePort()));
  writeFileSync(configFile, JSON.stringify(configuration(postgres, ports, membership)), {
    mode: 0o600,
  });
  const server = await startServer({
    name: 'the Temporal server',
    command: programs.server,
    args: ['--config-file', configFile, '--allow-no-auth', 'start'],
    env: {},
    logFile: path.join(dir, 'server.log'),
    stopSignal: 'SIGTERM',
    listeners: Object.values(ports).map((port) => ({ ...loopback(port), proof: { by: 'owner' } })),
    readyTimeoutMs: 120_000,
  });
  return { ...server, address: `127.0.0.1:${ports.frontend}` };
}

/** The tool reads the password from its environment, because anyone on the machine can read arguments. */
function toolEnvironment(
  { url, port, caFile }: LocalPostgres,
  database: string,
): NodeJS.ProcessEnv {
  const { username, password } = new URL(url);
  return {
    SQL_PLUGIN: 'postgres12',
    SQL_HOST: '127.0.0.1',
    SQL_PORT: `${port}`,
    SQL_USER: username,
    SQL_PASSWORD: decodeURIComponent(password),
    SQL_DATABASE: database,
    SQL_TLS: 'true',
    SQL_TLS_CA_FILE: caFile,
  };
}

/** The configuration file of the server, in JSON, which is YAML too. */
function configuration(
  { url, port, caFile }: LocalPostgres,
  ports: Readonly<Record<'frontend' | 'history' | 'matching' | 'worker', number>>,
  membership: readonly number[],
): object {
  const { username, password } = new URL(url);
  const store = (databaseName: string, maxConns: number) => ({
    sql: {
      pluginName: 'postgres12',
      databaseName,
      connectAddr: `127.0.0.1:${port}`,
      connectProtocol: 'tcp',
      user: username,
      password: decodeURIComponent(password),
      maxConns,
      maxIdleConns: maxConns,
      maxConnLifetime: '1h',
      tls: { enabled: true, caFile, enableHostVerification: true, serverName: '127.0.0.1' },
    },
  });
  return {
    log: { stdout: true, level: 'warn' },
    persistence: {
      defaultStore: 'default',
      visibilityStore: 'visibility',
      numHistoryShards: 4,
      datastores: { default: store('temporal', 20), visibility: store('temporal_visibility', 5) },
    },
    global: { membership: { maxJoinDuration: '30s', broadcastAddress: '127.0.0.1' } },
    services: Object.fromEntries(
      Object.entries(ports).map(([service, grpcPort], index) => [
        service,
        { rpc: { grpcPort, membershipPort: membership[index], bindOnLocalHost: true } },
      ]),
    ),
    clusterMetadata: {
      enableGlobalNamespace: false,
      failoverVersionIncrement: 10,
      masterClusterName: 'active',
      currentClusterName: 'active',
      clusterInformation: {
        active: {
          enabled: true,
          initialFailoverVersion: 1,
          rpcName: 'frontend',
          rpcAddress: `127.0.0.1:${ports.frontend}`,
        },
      },
    },
    publicClient: { hostPort: `127.0.0.1:${ports.frontend}` },
  };
}
