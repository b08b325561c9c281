import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { chart } from './chart';
import { debianPackage } from './debian-package';
import { image } from './image';
import { type Check, type Context, Skipped } from './report';
import { units } from './units';
import { upgradeFrom } from './upgrade';
import { walk } from './walk';

/** In the order in which they run: the fastest first. */
const checksFor = (before: string | null): readonly Check[] => [
  units,
  chart,
  debianPackage,
  image,
  walk,
  upgradeFrom(before),
];

const write = (line: string) => process.stdout.write(`${line}\n`);

/** Runs the named checks, or all. @returns the exit code: 1 if a check failed */
async function main(args: readonly string[]): Promise<number> {
  const option = args.indexOf('--before');
  const before = option === -1 ? null : (args[option + 1] ?? null);
  const names = option === -1 ? args : args.toSpliced(option, 2);
  const checks = checksFor(before);
  const known = checks.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    write(`There is no check "${unknown[0]}". The checks are: ${known.join(', ')}.`);
    return 2;
  }
  const clone = path.resolve(__dirname, '../../..');
  const outDir = path.join(clone, '.lockstep/deploy');
  mkdirSync(outDir, { recursive: true });
  let failures = 0;
  for (const check of checks.filter(({ name }) => names.length === 0 || names.includes(name)))
    if (!(await runOne(check, clone, outDir))) failures++;
  return failures === 0 ? 0 : 1;
}

/** @returns false if the check failed; one that this machine cannot run is reported and does not count */
async function runOne(check: Check, clone: string, outDir: string): Promise<boolean> {
  const workDir = mkdtempSync(path.join('/var/tmp', 'lockstep-check-'));
  chmodSync(workDir, 0o755);
  const context: Context = {
    clone,
    outDir,
    workDir,
    report: (line) => process.stderr.write(`  … ${line}\n`),
  };
  try {
    const found = await check.run(context);
    write(`✔ ${check.name}: ${check.title}`);
    for (const line of found) write(`    ${line}`);
    return true;
  } catch (error) {
    const skipped = error instanceof Skipped;
    write(`${skipped ? '- skipped' : '✘'} ${check.name}: ${check.title}`);
    write(`    ${skipped ? 'Not run: ' : ''}${(error as Error).message}`);
    return skipped;
  } finally {
    rmSync(workDir, { recursive: true, force: true });
  }
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
