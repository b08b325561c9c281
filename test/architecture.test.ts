import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Imports go one way: this is the table in the layout section of docs/architecture.md. */
const root = path.resolve(__dirname, '..');

interface Folder {
  /** Folders, or single files, that the folder may import. */
  readonly may: readonly string[];
  /** Folders of which it may import types only. */
  readonly byType?: readonly string[];
}

const common = ['config', 'guarded-file', 'log', 'start-errors', 'time-limit'];
const folders: Readonly<Record<string, Folder>> = {
  model: { may: [] },
  blocklist: { may: ['model'] },
  console: { may: ['model'] },
  connectors: { may: ['model', 'threads', ...common] },
  sealing: { may: ['model'] },
  telemetry: { may: ['log'] },
  store: { may: ['model', 'sealing', 'telemetry', ...common] },
  intake: {
    may: [
      'model',
      'sealing',
      'store',
      'telemetry',
      'connectors/registry',
      'blocklist/lookup',
      'threads',
      ...common,
    ],
  },
  activities: {
    may: ['model', 'sealing', 'store', 'telemetry', 'workflows/names', 'log'],
    byType: ['connectors'],
  },
  workflows: { may: ['model'], byType: ['activities'] },
  worker: {
    may: [
      ...['model', 'sealing', 'store', 'connectors', 'intake', 'activities', 'workflows/names'],
      ...['telemetry', 'ops', 'lifetime', 'uncaught', ...common],
    ],
  },
  api: {
    may: [
      ...['model', 'sealing', 'store', 'intake', 'connectors/registry', 'workflows/names'],
      ...[
        'console',
        'connectors/notices/registry',
        'telemetry',
        'ops',
        'lifetime',
        'uncaught',
        'release',
      ],
      ...common,
    ],
  },
  lookup: {
    may: [...['model', 'store', 'api/http', 'telemetry', 'ops', 'lifetime', 'uncaught', ...common]],
  },
  capture: { may: ['model', 'sealing', 'connectors', ...common] },
  cli: {
    may: [
      ...['model', 'config', 'local', 'capture', 'blocklist/build', 'release', 'time-limit'],
      'worker/master-secret',
    ],
  },
  local: { may: ['model', 'config', 'connectors/encodings', 'time-limit'] },
  deploy: { may: ['model', 'config', 'local', 'bench', 'release', 'time-limit'] },
};

/** Only the worker can open a password: these folders read private keys, sealed passwords and credentials. */
const workerOnly = ['store/worker'];
const mayOpenPasswords = ['store/worker', 'activities', 'worker'];
/** What the lookup service imports of them: it opens stored credentials, and no password of a change. */
const ofLookup = [
  'store/worker/credentials',
  'store/worker/login-guard',
  'store/worker/keys/key-store',
  'store/worker/keys/open',
];

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
  /** True for `import()`, which loads the module when it is needed. */
  readonly lazy: boolean;
}

const sources = Object.keys(folders).flatMap(filesBelow);
const imports = [
  ...sources,
  ...['config.ts', 'guarded-file.ts', 'log.ts', 'ops.ts', 'lifetime.ts', 'threads.ts'],
  ...[
    'described-error.ts',
    'log-output.ts',
    'release.ts',
    'start-errors.ts',
    'time-limit.ts',
    'uncaught.ts',
  ],
].flatMap(importsOf);

function filesBelow(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && file.name.endsWith('.ts'))
    .map((file) => path.relative(root, path.join(file.parentPath, file.name)));
}

/**
 * Every import of a file of Lockstep: `import`, `export … from`, `import('…')`, `typeof import('…')` and
 * `require('…')`.
 */
function importsOf(file: string): Import[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const statements = text.matchAll(
    /^(?:import|export)\s+(type\s)?(?:[^'"();]*?\sfrom\s+)?'(\.[^']+)';|(?<!typeof )\b(import|require)\('(\.[^']+)'\)|typeof import\('(\.[^']+)'\)/gms,
  );
  return [...statements].map(([, typeWord, fixed, lazy, loaded, byType]) => ({
    from: file,
    to: path.normalize(path.join(path.dirname(file), fixed ?? loaded ?? byType ?? '')),
    typeOnly: typeWord !== undefined || byType !== undefined,
    lazy: lazy !== undefined,
  }));
}

const within = (target: string, allowed: string): boolean =>
  target === allowed || target.startsWith(`${allowed}/`);

test('the architecture test finds the source files and their imports', () => {
  expect(sources.length).toBeGreaterThan(50);
  expect(imports.length).toBeGreaterThan(100);
});

test.each(Object.entries(folders))(
  'the folder %s imports only what the table allows',
  (folder, rule) => {
    const forbidden = imports
      .filter(({ from }) => within(from, folder))
      .filter(({ to }) => !within(to, folder))
      .filter(({ to }) => !rule.may.some((allowed) => within(to, allowed)))
      .filter(
        ({ to, typeOnly }) => !(typeOnly && rule.byType?.some((allowed) => within(to, allowed))),
      )
      .map(({ from, to }) => `${from} imports ${to}`);
    expect(forbidden).toEqual([]);
  },
);

test('only the worker imports the folders that can open a password, and the lookup service what opens credentials', () => {
  const forbidden = imports
    .filter(({ to }) => workerOnly.some((folder) => within(to, folder)))
    .filter(({ from }) => !mayOpenPasswords.some((folder) => within(from, folder)))
    .filter(({ from, to }) => !(within(from, 'lookup') && ofLookup.includes(to)))
    .map(({ from, to }) => `${from} imports ${to}`);
  expect(forbidden).toEqual([]);
});

test('of the command line, only "lockstep sso secret" reaches master keys, and loads them on demand', () => {
  const reaching = imports
    .filter(({ from, to }) => within(from, 'cli') && within(to, 'worker'))
    .map(({ from, to, typeOnly, lazy }) => ({ from, to, harmless: typeOnly || lazy }));
  expect(new Set(reaching.map(({ from, to }) => `${from} → ${to}`))).toEqual(
    new Set(['cli/commands/sso-secret.ts → worker/master-secret']),
  );
  expect(reaching.every(({ harmless }) => harmless)).toBe(true);
});

test('no module imports itself in a cycle, type imports and lazy imports included', () => {
  const graph = new Map<string, string[]>();
  for (const { from, to } of imports) {
    const key = from.replace(/\.ts$/, '');
    graph.set(key, [...(graph.get(key) ?? []), moduleOf(to)]);
  }
  expect(cyclesIn(graph)).toEqual([]);
});

/** The module that an import path names: `../activities` is `activities/index`. */
const moduleOf = (target: string): string =>
  existsSync(path.join(root, `${target}.ts`)) ? target : path.join(target, 'index');

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

test('the layout section of the architecture page lists every top-level folder', () => {
  const page = readFileSync(path.join(root, 'docs/architecture.md'), 'utf8');
  const tracked = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^\.|^(node_modules|dist)$/.test(entry.name))
    .map(({ name }) => name);
  const missing = tracked.filter((name) => !new RegExp(`(^|\\s)${name}/(\\s|$)`, 'm').test(page));
  expect(missing).toEqual([]);
});

test('the folder model is pure: it uses no I/O, no clock and no random numbers', () => {
  const impure = filesBelow('model').filter((file) => {
    const text = readFileSync(path.join(root, file), 'utf8');
    const modules = [...text.matchAll(/from '([^.'][^']*)'/g)].map(([, name]) => name);
    const known = modules.every((name) => ['zod', 'node:crypto', 'node:util'].includes(name ?? ''));
    return !known || /Date\.now|new Date\(\)|Math\.random|randomBytes|process\./.test(text);
  });
  expect(impure).toEqual([]);
});

test('config.ts is the only file that reads the environment', () => {
  const readers = [...sources, 'log.ts', 'ops.ts'].filter((file) =>
    readFileSync(path.join(root, file), 'utf8').includes('process.env'),
  );
  expect(readers).toEqual([]);
});

test('time-limit.ts is the only file that makes a timeout of AbortSignal, which the garbage collector may drop', () => {
  const makers = sources.filter((file) =>
    readFileSync(path.join(root, file), 'utf8').includes('AbortSignal.timeout('),
  );
  expect(makers).toEqual([]);
});

test('only connectors, and the setup of local servers, turn a Secret into a string', () => {
  const callers = sources
    .filter((file) => !within(file, 'connectors') && !within(file, 'local'))
    .filter((file) =>
      /(secret|password|next|current)\.text\(\)/i.test(readFileSync(path.join(root, file), 'utf8')),
    )
    .filter((file) => file !== 'model/passwords/secret.ts');
  expect(callers).toEqual([]);
});

test('memory for passwords is made by zeroableBytes, because V8 copies a small Buffer.alloc', () => {
  const folders = [
    'sealing',
    'cli/password',
    'capture/hand-over',
    'api',
    'intake',
    'activities',
    'lookup',
  ];
  const connectors = ['active-directory', 'command', 'http', 'ldap', 'webhook', 'wire'];
  const files = [...folders, ...connectors.map((kind) => `connectors/${kind}`)].flatMap(filesBelow);
  const moving = [...files, 'guarded-file.ts'].filter((file) =>
    /Buffer\.alloc\((?!0\))/.test(readFileSync(path.join(root, file), 'utf8')),
  );
  expect(moving).toEqual([]);
});
