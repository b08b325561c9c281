import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Failed, run } from './run.mjs';
import { setUp } from './setup.mjs';
import { endWithNpm, mergeRepeatedSignals } from './signals.mjs';
import {
  checkApi,
  checkConsole,
  checkKeyStore,
  checkLong,
  checkSso,
  conformance,
  test,
  torture,
} from './test.mjs';

const root = path.resolve(import.meta.dirname, '..');
const callersFolder = process.cwd();

const commands = {
  start: async (args) => {
    await setUp('built');
    await runHere('dist/cli/main.js', ['up', ...args]);
  },
  lockstep: async (args) => {
    await setUp('built');
    // Relative paths in the arguments are relative to the folder of the caller.
    process.chdir(callersFolder);
    await runHere('dist/cli/main.js', args);
  },
  bench: async (args) => {
    await setUp('built');
    await runHere('dist/bench/main.js', args);
  },
  test: async (args) => {
    await setUp('built');
    return test(args);
  },
  conformance: async (args) => {
    await setUp('built');
    return conformance(args);
  },
  torture: async (args) => {
    await setUp('built');
    return torture(args);
  },
  'check:api': async (args) => {
    await setUp('built');
    return checkApi(args);
  },
  'check:console': async (args) => {
    await setUp('built');
    return checkConsole(args);
  },
  'check:deploy': async (args) => {
    await setUp('built');
    await runHere('dist/deploy/check/main.js', args);
  },
  'check:long': async (args) => {
    await setUp('built');
    return checkLong(args);
  },
  'check:keystore': async (args) => {
    await setUp('built');
    return checkKeyStore(args);
  },
  'check:sso': async (args) => {
    await setUp('built');
    return checkSso(args);
  },
  check: async () => {
    await setUp('installed');
    const types = await run([bin('typescript/bin/tsc'), '--noEmit']);
    const browser = await run([bin('typescript/bin/tsc'), '-p', 'console/browser']);
    const style = await run([bin('@biomejs/biome/bin/biome'), 'check']);
    return types || browser || style;
  },
  docs: async () => {
    await setUp('built');
    const { writeReferencePages } = await import('../dist/scripts/reference.js');
    writeReferencePages();
  },
  build: () => setUp('built'),
};

/**
 * Runs one command of this clone in its root folder.
 * @param {string[]} argv name of the command, then its arguments
 * @returns {Promise<number | undefined>} the exit code; undefined if the command continues in this process and sets the exit
 *   code itself
 */
export async function command([name, ...args]) {
  process.chdir(root);
  endWithNpm();
  const chosen = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (chosen === undefined) {
    console.error(`Usage: node scripts/go.mjs ${Object.keys(commands).join(' | ')}`);
    return 2;
  }
  try {
    return await chosen(args);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    console.error(error.message);
    return error.exitCode;
  }
}

const bin = (file) => path.join(root, 'node_modules', file);

/** Runs a built program in this process, so that signals reach it and no child process can be left behind. */
async function runHere(file, args) {
  const main = path.join(root, file);
  process.argv = [process.execPath, main, ...args];
  mergeRepeatedSignals();
  await import(pathToFileURL(main).href);
}
