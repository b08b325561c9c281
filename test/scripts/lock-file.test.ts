import { readFileSync } from 'node:fs';
import path from 'node:path';

interface Package {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly resolved?: string;
}

const file = readFileSync(path.resolve(__dirname, '../../package-lock.json'), 'utf8');
const packages: Readonly<Record<string, Package>> = JSON.parse(file).packages;

/** Where Node would look for it: beside the parent, then further up. */
function* places(parent: string, name: string): Generator<string> {
  for (let at = parent; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    yield path.posix.join(at, 'node_modules', name);
    if (at === '') return;
  }
}

test('every package of every platform is locked, so that npm ci works there too', () => {
  const missing = Object.entries(packages).flatMap(([parent, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) =>
      [...places(parent, name)].every((place) => packages[place] === undefined),
    ),
  );
  // Then: node scripts/complete-lock.mjs
  expect(missing).toEqual([]);
});

test('no host of a registry is named: everyone installs from their own', () => {
  expect(Object.values(packages).flatMap(({ resolved }) => resolved ?? [])).toEqual([]);
});
