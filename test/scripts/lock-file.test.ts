import { readFileSync } from 'node:fs';
import path from 'node:path';

interface Package {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly resolved?: string;
}

const file = readFileSync(path.resolve(__dirname, '../../package-lock.json'), 'utf8');
const packages: Readonly<Record<string, Package>> = JSON.parse(file).packages;

/** The places where Node looks for a package: next to the parent, then in the folders further up. */
function* places(parent: string, name: string): Generator<string> {
  for (let at = parent; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    yield path.posix.join(at, 'node_modules', name);
    if (at === '') return;
  }
}

test('the lock file contains the packages of every platform, so that npm ci works on each', () => {
  const missing = Object.entries(packages).flatMap(([parent, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) =>
      [...places(parent, name)].every((place) => packages[place] === undefined),
    ),
  );
  // If this fails, run: node scripts/complete-lock.mjs
  expect(missing).toEqual([]);
});

test('the lock file names no registry, so that each machine installs from its own', () => {
  expect(Object.values(packages).flatMap(({ resolved }) => resolved ?? [])).toEqual([]);
});
