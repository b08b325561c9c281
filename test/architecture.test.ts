import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Imports go one way: this is the table of docs/architecture.md. */
const root = path.resolve(__dirname, '..');

interface Folder {
  /** Folders, or single files, that it may import. */
  readonly may: readonly string[];
  /** What it may know by type only. */
  readonly byType?: readonly string[];
}

const common = ['config', 'log'];
const folders: Readonly<Record<string, Folder>> = {
  model: { may: [] },
  blocklist: { may: ['model'] },
  connectors: { may: ['model', ...common] },
  sealing: { may: ['model'] },
  store: { may: ['model', 'sealing', ...common] },
  intake: {
    may: ['model', 'sealing', 'store', 'connectors/registry', 'blocklist/lookup', ...common],
  },
  activities: { may: ['model', 'sealing', 'store', 'log'], byType: ['connectors'] },
  workflows: { may: ['model'], byType: ['activities'] },
  worker: {
    may: [
      ...['model', 'sealing', 'store', 'connectors', 'intake', 'activities', 'workflows/names'],
      ...['ops', 'lifetime', ...common],
    ],
  },
  api: {
    may: [
      ...['model', 'sealing', 'store', 'intake', 'connectors/registry', 'workflows/names'],
      ...['ops', 'lifetime', ...common],
    ],
  },
  capture: { may: ['model', 'sealing', 'connectors', ...common] },
  cli: { may: ['model', 'config', 'local', 'capture', 'blocklist/build'] },
  local: { may: ['model', 'config', 'connectors/encodings'] },
};

/** The api seals and cannot open: nothing that reads a private key, a sealed password or a credential. */
const apiMayNot = ['store/keys/', 'store/work', 'store/sso'];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
  /** Loaded when it is needed, not with the module. */
  readonly lazy: boolean;
}

const sources = Object.keys(folders).flatMap(filesBelow);
const imports = [...sources, 'config.ts', 'log.ts', 'ops.ts', 'lifetime.ts'].flatMap(importsOf);

function filesBelow(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && file.name.endsWith('.ts'))
    .map((file) => path.relative(root, path.join(file.parentPath, file.name)));
}

function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const statements = text.matchAll(
    /^(import|export)\s+(type\s)?(?:[^'"();]*?\sfrom\s+)?'(\.[^']+)';|\bimport\('(\.[^']+)'\)/gms,
  );
  return [...statements].map(([, , typeWord, fixed, dynamic]) => {
    const target = path.join(path.dirname(file), fixed ?? dynamic ?? '');
    return {
      from: file,
      to: path.normalize(target),
      typeOnly: typeWord !== undefined,
      lazy: dynamic !== undefined,
    };
  });
}

const within = (target: string, allowed: string): boolean =>
  target === allowed || target.startsWith(`${allowed}/`);

test('there is something to check', () => {
  expect(sources.length).toBeGreaterThan(50);
  expect(imports.length).toBeGreaterThan(100);
});

test.each(Object.entries(folders))('%s imports only what the table allows', (folder, rule) => {
  const forbidden = imports
    .filter(({ from }) => within(from, folder))
    .filter(({ to }) => !within(to, folder))
    .filter(({ to }) => !rule.may.some((allowed) => within(to, allowed)))
    .filter(
      ({ to, typeOnly }) => !(typeOnly && rule.byType?.some((allowed) => within(to, allowed))),
    )
    .map(({ from, to }) => `${from} imports ${to}`);
  expect(forbidden).toEqual([]);
});

test('the api imports nothing that could open a password', () => {
  const forbidden = imports
    .filter(({ from }) => within(from, 'api'))
    .filter(({ to, typeOnly }) => !typeOnly && apiMayNot.some((prefix) => to.startsWith(prefix)))
    .map(({ from, to }) => `${from} imports ${to}`);
  expect(forbidden).toEqual([]);
});

test('no module imports itself by a detour', () => {
  const graph = new Map<string, string[]>();
  for (const { from, to, typeOnly, lazy } of imports)
    if (!typeOnly && !lazy) {
      const key = from.replace(/\.ts$/, '');
      graph.set(key, [...(graph.get(key) ?? []), to]);
    }
  expect(cyclesIn(graph)).toEqual([]);
});

function cyclesIn(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (node: string, trail: readonly string[]) => {
    if (trail.includes(node)) found.push([...trail.slice(trail.indexOf(node)), node].join(' → '));
    else if (!done.has(node)) {
      for (const next of graph.get(node) ?? []) visit(next, [...trail, node]);
      done.add(node);
    }
  };
  for (const node of graph.keys()) visit(node, []);
  return found;
}

test('model is pure: no I/O, no clock, no random', () => {
  const impure = filesBelow('model').filter((file) => {
    const text = readFileSync(path.join(root, file), 'utf8');
    const modules = [...text.matchAll(/from '([^.'][^']*)'/g)].map(([, name]) => name);
    const known = modules.every((name) => ['zod', 'node:crypto', 'node:util'].includes(name ?? ''));
    return !known || /Date\.now|new Date\(\)|Math\.random|randomBytes|process\./.test(text);
  });
  expect(impure).toEqual([]);
});

test('the environment is read in config.ts and nowhere else', () => {
  const readers = [...sources, 'log.ts', 'ops.ts'].filter((file) =>
    readFileSync(path.join(root, file), 'utf8').includes('process.env'),
  );
  expect(readers).toEqual([]);
});

test('only connectors, and the administrators of our own servers, turn a Secret into a string', () => {
  const callers = sources
    .filter((file) => !within(file, 'connectors') && !within(file, 'local'))
    .filter((file) =>
      /(secret|password|next|current)\.text\(\)/i.test(readFileSync(path.join(root, file), 'utf8')),
    )
    .filter((file) => file !== 'model/passwords/secret.ts');
  expect(callers).toEqual([]);
});
