import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withLock } from './lock.mjs';
import { Failed, run } from './run.mjs';

/** stdout is for the result of the command, so the output of the set-up goes to stderr. */
const quietly = { stdio: ['ignore', 2, 2] };

const report = (line) => process.stderr.write(`${line}\n`);

const BUILT_BY = [
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'scripts/bundle-workflows.mjs',
  'scripts/bundle-console.mjs',
  'console/browser/style.css',
  'console/browser/tsconfig.json',
];

/**
 * The steps that make a clone ready, in order. Each step is repeated when the hash of its inputs differs from its stamp.
 */
const steps = {
  installed: {
    title: 'Installing packages',
    stamp: 'node_modules/.lockstep-stamp',
    inputs: () => [
      `${process.versions.node.split('.', 1)} ${process.platform} ${process.arch}`,
      readFileSync('package-lock.json'),
    ],
    run: install,
  },
  built: {
    title: 'Building',
    stamp: 'dist/.lockstep-stamp',
    inputs: () => [
      ...BUILT_BY.map((file) => readFileSync(file)),
      ...sources('.').flatMap((file) => [file, readFileSync(file)]),
    ],
    run: build,
  },
};

/**
 * Installs packages and, for the goal `built`, compiles the clone in the current folder; does nothing if both are current.
 * @param {keyof typeof steps} goal
 * @throws {Failed}
 */
export async function setUp(goal) {
  const wanted = goal === 'installed' ? [steps.installed] : [steps.installed, steps.built];
  if (wanted.every(isCurrent)) return;
  const onWait = () => report('Waiting for another command in this folder to finish the set-up');
  await withLock(path.resolve('.lockstep/setup-lock'), onWait, async (share) => {
    for (const step of wanted) if (!isCurrent(step)) await perform(step, share);
  });
}

const stampOf = ({ inputs }) =>
  inputs()
    .reduce((hash, part) => hash.update(part).update('\0'), createHash('sha256'))
    .digest('hex');

const isCurrent = (step) =>
  existsSync(step.stamp) && readFileSync(step.stamp, 'utf8') === stampOf(step);

async function perform(step, onStart) {
  report(`${step.title} …`);
  const startedAt = performance.now();
  // Computed before the step runs, so that a file edited during the step is built again next time.
  const stamp = stampOf(step);
  await step.run({ ...quietly, onStart });
  writeFileSync(step.stamp, stamp);
  report(`${step.title}: done in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
}

/**
 * Installs the packages with the npm that started this process, otherwise with the npm in the path. Packages for build and
 * tests are always included, whatever the npm settings or NODE_ENV leave out.
 */
async function install(options) {
  const npm = process.env.npm_execpath ?? '';
  const [command, ...first] = npm.endsWith('npm-cli.js') ? [process.execPath, npm] : ['npm'];
  const flags = ['--include=dev', '--ignore-scripts', '--loglevel=error'];
  const code = await run([...first, 'ci', ...flags], { ...options, command });
  if (code !== 0)
    throw new Failed(
      `"npm ci" failed with exit code ${code}. Its output above shows the cause.`,
      code,
    );
}

async function build(options) {
  await script(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], options);
  if (existsSync('dist/workflows/index.js'))
    await script(['scripts/bundle-workflows.mjs'], options);
  if (existsSync('dist/console')) await script(['scripts/bundle-console.mjs'], options);
}

async function script(args, options) {
  const code = await run(args, options);
  if (code !== 0)
    throw new Failed(
      `"node ${args.join(' ')}" failed with exit code ${code}. Its output above shows the cause.`,
      code,
    );
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
