// Completes package-lock.json; run it after every `npm install`. npm leaves out packages of other platforms that its registry
// did not serve, and `npm ci` then refuses the lock file. Their versions are in the packages that depend on them, and their
// names contain their platform.
import { readFileSync, writeFileSync } from 'node:fs';

const OS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const CPU = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];
const LIBC = { gnu: 'glibc', gnueabihf: 'glibc', musl: 'musl', musleabihf: 'musl' };

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const missing = Object.entries(lock.packages).flatMap(
  ([parent, { optionalDependencies = {}, dev }]) =>
    Object.entries(optionalDependencies)
      .filter(([name]) => !isLocked(parent, name))
      .map(([name, version]) => [`node_modules/${name}`, entry(name, version, dev)]),
);
const packages = [...Object.entries(lock.packages), ...missing];
// Sorted as npm sorts them, so that the next `npm install` moves no line.
packages.sort(([a], [b]) => a.localeCompare(b, 'en'));
writeFileSync(
  'package-lock.json',
  `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`,
);
for (const [name, { version }] of missing) console.log(`added ${name} ${version}`);

/** Whether the lock file contains the package where Node looks for it: next to the parent, or in a folder further up. */
function isLocked(parent, name) {
  const above = parent.lastIndexOf('node_modules/');
  if (lock.packages[`${parent}${parent && '/'}node_modules/${name}`] !== undefined) return true;
  return parent !== '' && isLocked(parent.slice(0, Math.max(0, above - 1)), name);
}

function entry(name, version, dev) {
  const words = name.split(/[/-]/);
  const os = words.find((word) => OS.includes(word));
  const cpu = words.find((word) => CPU.includes(word));
  const libc = os === 'linux' ? LIBC[words.at(-1)] : undefined;
  if (os === undefined || cpu === undefined || !/^\d+\.\d+\.\d+/.test(version))
    throw new Error(
      `The platform of ${name} ${version} is unknown: add the package to package-lock.json by hand`,
    );
  return {
    version,
    cpu: [cpu],
    ...(dev && { dev }),
    ...(libc && { libc: [libc] }),
    optional: true,
    os: [os],
  };
}
