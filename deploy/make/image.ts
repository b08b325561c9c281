import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Report, unpackedDebs } from '../../local/debian';
import { release } from '../../release';
import { HOME, stageApplication } from './stage';
import { run } from './tools';

/** The user of the image. It is no user of the host. */
export const IMAGE_USER = 10_001;

/** What Node needs of Debian. There is no shell among them. */
const DEBIAN_PACKAGES = ['libc6', 'libgcc-s1', 'gcc-12-base', 'libstdc++6', 'ca-certificates'];

/** The packages of a Debian system that the image leaves out: programs and texts. */
const LEFT_OUT = [
  'usr/share/doc',
  'usr/share/lintian',
  'usr/share/man',
  'usr/sbin',
  'etc/ld.so.conf.d/fakeroot',
];

export interface Image {
  /** Name with tag in the local storage of buildah. */
  readonly name: string;
  /** File in CycloneDX format. */
  readonly sbom: string;
}

/**
 * Builds the OCI image of this release with buildah, and its list of components.
 * @param clone root of a clone that is built
 */
export async function buildImage(clone: string, outDir: string, report: Report): Promise<Image> {
  const work = mkdtempSync(path.join(os.tmpdir(), 'lockstep-image-'));
  const root = path.join(work, 'root');
  try {
    await makeRoot(clone, root, report);
    const sbom = path.join(outDir, `lockstep-${release()}.cdx.json`);
    writeFileSync(sbom, JSON.stringify(await componentsOf(root, report), null, 2));
    await run(
      'tar',
      [
        '--owner=0',
        '--group=0',
        '--exclude=./var/lib/lockstep',
        '-cf',
        'root.tar',
        '-C',
        root,
        '.',
      ],
      { cwd: work },
    );
    await run(
      'tar',
      [
        `--owner=${IMAGE_USER}`,
        `--group=${IMAGE_USER}`,
        '-rf',
        'root.tar',
        '-C',
        root,
        './var/lib/lockstep',
      ],
      { cwd: work },
    );
    cpSync(path.join(clone, 'deploy/image/Containerfile'), path.join(work, 'Containerfile'));
    const name = `localhost/lockstep:${release()}`;
    report('building the image');
    await run(
      'buildah',
      ['--storage-driver', 'vfs', 'bud', '--isolation', 'chroot', '-t', name, '.'],
      { cwd: work },
    );
    return { name, sbom };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function makeRoot(clone: string, root: string, report: Report): Promise<void> {
  const debian = await unpackedDebs('image', DEBIAN_PACKAGES, report);
  cpSync(debian, root, { recursive: true, verbatimSymlinks: true });
  for (const folder of LEFT_OUT) rmSync(path.join(root, folder), { recursive: true, force: true });
  trustAuthorities(root);
  writeFileSync(
    path.join(root, 'etc/passwd'),
    `lockstep:x:${IMAGE_USER}:${IMAGE_USER}::/nonexistent:/none\n`,
  );
  writeFileSync(path.join(root, 'etc/group'), `lockstep:x:${IMAGE_USER}:\n`);
  writeFileSync(path.join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
  for (const folder of [
    'tmp',
    'etc/lockstep',
    'run/lockstep',
    'var/lib/lockstep/api',
    'var/lib/lockstep/worker',
  ])
    mkdirSync(path.join(root, folder), { recursive: true });
  chmodSync(path.join(root, 'tmp'), 0o1777);
  await stageApplication(clone, root, report);
}

/** Debian makes this file when it installs the package, with a shell. */
function trustAuthorities(root: string): void {
  const mozilla = path.join(root, 'usr/share/ca-certificates/mozilla');
  const bundle = path.join(root, 'etc/ssl/certs/ca-certificates.crt');
  mkdirSync(path.dirname(bundle), { recursive: true });
  const certificates = readdirSync(mozilla).map((file) =>
    readFileSync(path.join(mozilla, file), 'utf8'),
  );
  writeFileSync(bundle, certificates.join(''));
}

/** The components of the image in CycloneDX format: those of npm, the Debian packages, and Node. */
async function componentsOf(root: string, report: Report): Promise<object> {
  report('listing the components');
  const home = path.join(root, HOME);
  const npm = JSON.parse(
    await run('npm', ['sbom', '--sbom-format=cyclonedx', '--omit=dev', '--package-lock-only'], {
      cwd: home,
    }),
  ) as { components: object[] };
  const policy = await run('apt-cache', ['policy', ...DEBIAN_PACKAGES]);
  const debian = [...policy.matchAll(/^(\S+):\n.*\n {2}Candidate: (\S+)/gm)].map(
    ([, name, version]) => ({
      type: 'library',
      name,
      version,
      purl: `pkg:deb/debian/${name}@${version}`,
    }),
  );
  const version = process.versions.node;
  const node = { type: 'application', name: 'node', version, purl: `pkg:generic/node@${version}` };
  if (debian.length !== DEBIAN_PACKAGES.length)
    throw new Error('The versions of the Debian packages in the image are not known.');
  return { ...npm, components: [...npm.components, ...debian, node] };
}
