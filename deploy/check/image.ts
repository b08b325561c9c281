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
import type { RunningServer } from '../../local/processes';
import { buildImage, IMAGE_USER } from '../make/image';
import { isInstalled, run } from '../make/tools';
import { type Company, startCompany } from './company';
import { changePasswords, startProcess } from './lockstep';
import { lookUpCredential, lookupRole } from './lookup-service';
import { type Check, type Context, type Found, must, Skipped } from './report';
import { readEnvironmentFile } from './unit-file';

const buildah = (...args: string[]) => run('buildah', ['--storage-driver', 'vfs', ...args]);

export const image: Check = {
  name: 'image',
  title: 'the OCI image has no shell, and every process runs in it as an unprivileged user',
  async run(context) {
    if (process.getuid?.() !== 0) throw new Skipped('buildah needs root here');
    for (const program of ['buildah', 'apt-get'])
      if (!(await isInstalled(program))) throw new Skipped(`${program} is not installed`);
    const { name, sbom } = await buildImage(context.clone, context.outDir, context.report);
    const parts = JSON.parse(readFileSync(sbom, 'utf8')) as { components: unknown[] };
    const containers = [
      await containerOf(name),
      await containerOf(name),
      await containerOf(name),
    ] as const;
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
  [worker, api, lookup]: readonly [string, string, string],
  config: ImageConfig,
  context: Context,
): Promise<Found> {
  const company = await startCompany(
    { ...context, workDir: path.join(context.workDir, 'image-company') },
    'development',
    10,
  );
  const files = volumes(company, context);
  const running: RunningServer[] = [];
  const start = async (container: string, kind: Kind, values: Record<string, string>) => {
    const { port, opsPort, env } = await environmentOf(kind, values, context);
    const spec = processSpec(container, kind, config, files, env);
    const logFile = path.join(context.workDir, `image-${kind}.log`);
    running.unshift(await startProcess({ ...spec, name: kind, logFile, opsPort }));
    return `http://127.0.0.1:${port}`;
  };
  try {
    const DATABASE_URL = withCa(company.databaseUrl);
    await start(worker, 'worker', { DATABASE_URL, TEMPORAL_ADDRESS: company.temporalAddress });
    files.shareKeys();
    const target = {
      apiUrl: await start(api, 'api', { DATABASE_URL, LOCKSTEP_API_HOST: '127.0.0.1' }),
      adminKeyFile: files.adminKey,
    };
    const secretFiles = { corp: '/etc/lockstep/secrets/corp', apps: '/etc/lockstep/secrets/apps' };
    const caFile = '/etc/lockstep/ca/ldap.pem';
    const changes = await changePasswords(company, target, { caFile, secretFiles });
    const lookupUrl = await start(lookup, 'lookup', {
      LOCKSTEP_LOOKUP_DATABASE_URL: withCa(await lookupRole(company.databaseUrl)),
      LOCKSTEP_LOOKUP_HOST: '127.0.0.1',
    });
    return [
      `api, worker and lookup service ran in it as user ${IMAGE_USER}; ${changes} changes reached all five accounts`,
      ...(await lookUpCredential(company, target, lookupUrl)),
    ];
  } finally {
    for (const server of running) await server.stop();
    await company.stop();
  }
}

type Kind = 'api' | 'worker' | 'lookup';

/** The environment of the compose file with the given values, on free ports and, because that is loopback, without TLS. */
async function environmentOf(
  kind: Kind,
  values: Readonly<Record<string, string>>,
  { clone }: Context,
) {
  const file = path.join(clone, 'deploy/compose', `${kind}.env.example`);
  const example = Object.entries(readEnvironmentFile(readFileSync(file, 'utf8'))).filter(
    ([name]) => !name.includes('_TLS_'),
  );
  const [port, opsPort] = [await freePort(), await freePort()];
  const prefix = `LOCKSTEP_${kind.toUpperCase()}`;
  const own = { [`${prefix}_PORT`]: `${port}`, [`${prefix}_OPS_PORT`]: `${opsPort}` };
  if (kind === 'worker') delete own[`${prefix}_PORT`];
  return { port, opsPort, env: { ...Object.fromEntries(example), ...own, ...values } };
}

/** The command that runs a process in its container, as the compose file describes it. */
const processSpec = (
  container: string,
  kind: Kind,
  { Entrypoint }: ImageConfig,
  files: ReturnType<typeof volumes>,
  env: Readonly<Record<string, string>>,
) => ({
  command: 'buildah',
  args: [
    ...['--storage-driver', 'vfs', 'run', '--isolation', 'chroot'],
    ...files.mounts(kind).flatMap(([from, to]) => ['--volume', `${from}:${to}`]),
    ...[container, '--', ...Entrypoint, files.environment(kind, env), `dist/${kind}/main.js`],
  ],
  env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' },
});

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
  const give = (from: string, to: string, mode: number) => {
    copyFileSync(from, to);
    chownSync(to, IMAGE_USER, IMAGE_USER);
    chmodSync(to, mode);
  };
  const [worker, api] = [folder('worker'), folder('api')];
  give(postgres.caFile, path.join(folder('ca'), 'db.pem'), 0o444);
  give(slapd.caFile, path.join(folder('ca'), 'ldap.pem'), 0o444);
  for (const [source, file] of Object.entries(secretFiles))
    give(file, path.join(folder('secrets'), source), 0o400);
  const own: Readonly<Record<Kind, readonly (readonly [string, string])[]>> = {
    worker: [
      [worker, '/var/lib/lockstep/worker'],
      [folder('secrets'), '/etc/lockstep/secrets:ro'],
      [folder('policies'), '/etc/lockstep/policies:ro'],
    ],
    api: [
      [api, '/var/lib/lockstep/api'],
      [folder('policies'), '/etc/lockstep/policies:ro'],
    ],
    lookup: [[path.join(worker, 'keys/master'), '/var/lib/lockstep/worker/keys/master:ro']],
  };
  return {
    adminKey: path.join(api, 'admin-key'),
    mounts: (kind: Kind): readonly (readonly [string, string])[] => [
      ...own[kind],
      [folder('ca'), '/etc/lockstep/ca:ro'],
      [folder(`environment-${kind}`), '/run/lockstep:ro'],
    ],
    /** Gives a process its variables, as compose does. This buildah takes them only as arguments, which anyone can read. */
    environment: (kind: Kind, env: Readonly<Record<string, string>>): string => {
      const lines = Object.entries(env).map(([variable, value]) => `${variable}="${value}"\n`);
      const file = path.join(folder(`environment-${kind}`), 'environment');
      writeFileSync(file, lines.join(''), { mode: 0o400 });
      chownSync(file, IMAGE_USER, IMAGE_USER);
      return '--env-file=/run/lockstep/environment';
    },
    /** What the service "keys" of the compose file does. */
    shareKeys: () => {
      give(path.join(worker, 'keys/signer.pub.json'), path.join(api, 'signer.pub.json'), 0o444);
      give(path.join(worker, 'fingerprint.key'), path.join(api, 'fingerprint.key'), 0o600);
    },
  };
}
