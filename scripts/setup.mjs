import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withLock } from './lock.mjs';
import { Failed, run } from './run.mjs';

/** Results go to stdout; what the way there says does not belong among them. */
const quietly = { stdio: ['ignore', 2, 2] };

const say = (line) => process.stderr.write(`${line}\n`);

const BUILT_BY = [
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'scripts/bundle-workflows.mjs',
];

/** What a clone needs, in order. Each is made again when its stamp no longer tells what it was made of. */
const steps = {
  installed: {
    title: 'Installing packages',
    stamp: 'node_modules/.lockstep-stamp',
    madeOf: () => [
      `${process.versions.node.split('.', 1)} ${process.platform} ${process.arch}`,
      readFileSync('package-lock.json'),
    ],
    make: install,
  },
  built: {
    title: 'Building',
    stamp: 'dist/.lockstep-stamp',
    madeOf: () => [
      ...BUILT_BY.map((file) => readFileSync(file)),
      ...sources('.').flatMap((file) => [file, readFileSync(file)]),
    ],
    make: build,
  },
};

/**
 * Brings the clone as far as `goal`, in the current folder.
 * @param {keyof typeof steps} goal
 * @throws {Failed}
 */
export async function setUp(goal) {
  const wanted = goal === 'installed' ? [steps.installed] : [steps.installed, steps.built];
  if (wanted.every(isCurrent)) return;
  const onWait = () => say('Waiting for another start in this folder to finish setting up');
  await withLock(path.resolve('.lockstep/setup-lock'), onWait, async (share) => {
    for (const step of wanted) if (!isCurrent(step)) await carryOut(step, share);
  });
}

const stampOf = ({ madeOf }) =>
  madeOf()
    .reduce((hash, part) => hash.update(part).update('\0'), createHash('sha256'))
    .digest('hex');

const isCurrent = (step) =>
  existsSync(step.stamp) && readFileSync(step.stamp, 'utf8') === stampOf(step);

async function carryOut(step, onStart) {
  say(`${step.title} …`);
  const began = performance.now();
  // Before it is made: what is edited meanwhile is made again next time.
  const stamp = stampOf(step);
  await step.make({ ...quietly, onStart });
  writeFileSync(step.stamp, stamp);
  say(`${step.title}: done in ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

/** By the npm that started us, if one did; whatever its settings or NODE_ENV leave out, we need what builds and tests. */
async function install(options) {
  const npm = process.env.npm_execpath ?? '';
  const [command, ...first] = npm.endsWith('npm-cli.js') ? [process.execPath, npm] : ['npm'];
  const flags = ['--include=dev', '--ignore-scripts', '--loglevel=error'];
  const code = await run([...first, 'ci', ...flags], { ...options, command });
  if (code !== 0) throw new Failed(`npm ci failed with ${code}; what it said is above.`, code);
}

async function build(options) {
  await script(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], options);
  if (existsSync('dist/workflows/index.js'))
    await script(['scripts/bundle-workflows.mjs'], options);
}

async function script(args, options) {
  const code = await run(args, options);
  if (code !== 0)
    throw new Failed(`${args.join(' ')} failed with ${code}; what it said is above.`, code);
}

const NO_SOURCES = new Set(['node_modules', 'dist', 'test']);

function sources(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory())
      return entry.name.startsWith('.') || NO_SOURCES.has(file) ? [] : sources(file);
    return entry.name.endsWith('.ts') ? [file] : [];
  });
}
