import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { freePort } from '../../local/ports';
import { buildImage, IMAGE_USER } from '../make/image';
import { isInstalled, run } from '../make/tools';
import { type Company, startCompany } from './company';
import { changePasswords, startProcess } from './lockstep';
import { type Check, type Context, type Found, must, Skipped } from './report';
import { readEnvironmentFile } from './unit-file';

const buildah = (...args: string[]) => run('buildah', ['--storage-driver', 'vfs', ...args]);

export const image: Check = {
  name: 'image',
  title: 'the OCI image has no shell, and api and worker run in it as an unprivileged user',
  async run(context) {
    if (process.getuid?.() !== 0) throw new Skipped('buildah needs root here');
    for (const program of ['buildah', 'apt-get'])
      if (!(await isInstalled(program))) throw new Skipped(`${program} is not installed`);
    const { name, sbom } = await buildImage(context.clone, context.outDir, context.report);
    const parts = JSON.parse(readFileSync(sbom, 'utf8')) as { components: unknown[] };
    const containers = [await containerOf(name), await containerOf(name)] as const;
    try {
      const root = (await buildah('mount', containers[0])).trim();
      const inspected = JSON.parse(await buildah('inspect', '--type', 'image', name));
      const config: ImageConfig = inspected.OCIv1.config;
      must(config.User === `${IMAGE_USER}:${IMAGE_USER}`, `the image runs as ${config.User}`);
      return [
        `${name} has ${await sizeOf(root)} MiB and ${parts.components.length} components (SBOM: ${path.basename(sbom)})`,
        ...(await noShell(root)),
        ...(await runWithServers(containers, config, context)),
        ...(await unchanged(root)),
      ];
    } finally {
      await buildah('rm', ...containers);
    }
  },
};

const containerOf = async (name: string): Promise<string> =>
  (await buildah('from', '--pull-never', name)).trim();

const sizeOf = async (root: string): Promise<number> =>
  Math.round(Number((await run('du', ['-sm', root])).split('\t')[0]));

async function noShell(root: string): Promise<Found> {
  const names = ['sh', 'bash', 'dash', 'busybox', 'apt', 'dpkg', 'npm'];
  const found = await run('find', [
    root,
    '-type',
    'f',
    '-perm',
    '/111',
    '(',
    ...names.flatMap((name, at) => [...(at === 0 ? [] : ['-o']), '-name', name]),
    ')',
  ]);
  must(found.trim() === '', `the image contains ${found}`);
  return ['it contains no shell and no package manager'];
}

/** Everything but the volumes and /tmp is as it was built, so the root can be read-only. */
async function unchanged(root: string): Promise<Found> {
  const written = await run('find', [
    root,
    '-user',
    `${IMAGE_USER}`,
    '-not',
    '-path',
    `${root}/var/lib/lockstep*`,
    '-not',
    '-path',
    `${root}/tmp*`,
  ]);
  must(written.trim() === '', `the processes wrote ${written}`);
  return ['the processes wrote nothing outside of their volume, so the root can be read-only'];
}

interface ImageConfig {
  readonly User: string;
  readonly Entrypoint: readonly string[];
  readonly WorkingDir: string;
}

async function runWithServers(
  [worker, api]: readonly [string, string],
  config: ImageConfig,
  context: Context,
): Promise<Found> {
  const company = await startCompany(
    { ...context, workDir: path.join(context.workDir, 'image-company') },
    'development',
    10,
  );
  const ports = { api: await freePort(), apiOps: await freePort(), workerOps: await freePort() };
  const files = volumes(company, context);
  const examples = (name: string) =>
    readEnvironmentFile(
      readFileSync(path.join(context.clone, 'deploy/compose', `${name}.env.example`), 'utf8'),
    );
  const shared = {
    DATABASE_URL: withCa(company.databaseUrl),
    LOCKSTEP_WORKER_OPS_PORT: `${ports.workerOps}`,
    LOCKSTEP_API_OPS_PORT: `${ports.apiOps}`,
  };
  const { TEMPORAL_TLS_SERVER_CA_CERT_PATH: _ca, ...ofWorker } = examples('worker');
  const {
    LOCKSTEP_API_TLS_CERT_FILE: _cert,
    LOCKSTEP_API_TLS_KEY_FILE: _key,
    ...ofApi
  } = examples('api');
  const start = (container: string, name: string, env: Record<string, string>, opsPort: number) =>
    startProcess({
      name,
      command: 'buildah',
      args: [
        ...['--storage-driver', 'vfs', 'run', '--isolation', 'chroot'],
        ...files.mounts(name).flatMap(([from, to]) => ['--volume', `${from}:${to}`]),
        ...[
          container,
          '--',
          ...config.Entrypoint,
          files.environment(name, env),
          `dist/${name}/main.js`,
        ],
      ],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' },
      logFile: path.join(context.workDir, `image-${name}.log`),
      opsPort,
    });
  const running = [];
  try {
    running.push(
      await start(
        worker,
        'worker',
        { ...ofWorker, ...shared, TEMPORAL_ADDRESS: company.temporalAddress },
        ports.workerOps,
      ),
    );
    files.shareKeys();
    running.push(
      await start(
        api,
        'api',
        { ...ofApi, ...shared, LOCKSTEP_API_HOST: '127.0.0.1', LOCKSTEP_API_PORT: `${ports.api}` },
        ports.apiOps,
      ),
    );
    const changes = await changePasswords(
      company,
      { apiUrl: `http://127.0.0.1:${ports.api}`, adminKeyFile: files.adminKey },
      {
        caFile: '/etc/lockstep/ca/ldap.pem',
        secretFiles: { corp: '/etc/lockstep/secrets/corp', apps: '/etc/lockstep/secrets/apps' },
      },
    );
    return [
      `api and worker ran in it as user ${IMAGE_USER}; ${changes} changes reached all five accounts`,
    ];
  } finally {
    for (const server of running.reverse()) await server.stop();
    await company.stop();
  }
}

const withCa = (databaseUrl: string): string => {
  const url = new URL(databaseUrl);
  url.searchParams.set('sslrootcert', '/etc/lockstep/ca/db.pem');
  return url.href;
};

/** The folders that are mounted, as the compose file mounts them. */
function volumes({ postgres, slapd, secretFiles }: Company, { workDir }: Context) {
  const base = path.join(workDir, 'volumes');
  const folder = (name: string) => {
    const dir = path.join(base, name);
    mkdirSync(dir, { recursive: true });
    chownSync(dir, IMAGE_USER, IMAGE_USER);
    return dir;
  };
  const [worker, api, ca, secrets, policies] = ['worker', 'api', 'ca', 'secrets', 'policies'].map(
    folder,
  ) as [string, string, string, string, string];
  const give = (from: string, to: string, mode: number) => {
    copyFileSync(from, to);
    chownSync(to, IMAGE_USER, IMAGE_USER);
    chmodSync(to, mode);
  };
  give(postgres.caFile, path.join(ca, 'db.pem'), 0o444);
  give(slapd.caFile, path.join(ca, 'ldap.pem'), 0o444);
  for (const [source, file] of Object.entries(secretFiles))
    give(file, path.join(secrets, source), 0o400);
  return {
    adminKey: path.join(api, 'admin-key'),
    mounts: (name: string): readonly (readonly [string, string])[] => [
      name === 'worker' ? [worker, '/var/lib/lockstep/worker'] : [api, '/var/lib/lockstep/api'],
      [ca, '/etc/lockstep/ca:ro'],
      [policies, '/etc/lockstep/policies:ro'],
      ...(name === 'worker' ? [[secrets, '/etc/lockstep/secrets:ro'] as const] : []),
    ],
    /** Gives a process its variables, as compose does. This buildah takes them only as arguments, which anyone can read. */
    environment: (name: string, env: Readonly<Record<string, string>>): string => {
      const lines = Object.entries(env).map(([variable, value]) => `${variable}="${value}"\n`);
      const file = path.join(name === 'worker' ? worker : api, 'environment');
      writeFileSync(file, lines.join(''), { mode: 0o400 });
      chownSync(file, IMAGE_USER, IMAGE_USER);
      return `--env-file=/var/lib/lockstep/${name}/environment`;
    },
    /** What the service "keys" of the compose file does. */
    shareKeys: () => {
      give(path.join(worker, 'keys/signer.pub.json'), path.join(api, 'signer.pub.json'), 0o444);
      give(path.join(worker, 'fingerprint.key'), path.join(api, 'fingerprint.key'), 0o600);
    },
  };
}
