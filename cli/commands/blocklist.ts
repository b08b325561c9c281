import path from 'node:path';
import { Command } from 'commander';
import type * as Building from '../../blocklist/build';
import type { Exit } from '../exit-codes';
import { usage } from '../failure';
import { helpText } from '../help-text';
import { action, type Session } from '../session';
import { count } from '../values';

export const blocklistCommand = (): Command =>
  new Command('blocklist')
    .summary('build a blocklist of leaked passwords')
    .description('Builds blocklists. A blocklist is a file of passwords that a policy refuses.')
    .addCommand(buildCommand());

interface Options {
  readonly minCount: number;
}

const buildCommand = (): Command =>
  new Command('build')
    .summary('build a blocklist file')
    .description(
      'Builds a file for the setting "blocklist" of a policy. It runs offline and needs neither the API nor an API key.',
    )
    .argument(
      '<from>',
      'output of the Pwned Passwords downloader (SHA-1), or a file with one password per line',
    )
    .argument('<to>', 'path of the blocklist; an existing file is replaced')
    .option('--min-count <n>', 'leave out passwords with a lower count in <from>', count, 1)
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep blocklist build pwned.txt /etc/lockstep/policies/leaked --min-count 10',
            'builds a blocklist of 6 bytes per password; then copy it to the folder LOCKSTEP_POLICY_DIR of every API server and worker, and name it in lockstep.yaml',
          ],
        ],
      }),
    )
    .action(action(build));

async function build(
  { output }: Session,
  from: string,
  to: string,
  { minCount }: Options,
): Promise<Exit> {
  const { buildBlocklist, BadLine } = require('../../blocklist/build') as typeof Building;
  const onProgress = everySeconds(PROGRESS_SECONDS, ({ lines, read }: Building.Progress) =>
    output.note(`${lines.toLocaleString('en')} lines read, ${Math.floor(read * 100)} %`),
  );
  try {
    const { lines, keys } = await buildBlocklist({ from, to, minCount, onProgress });
    const file = path.resolve(to);
    output.show({ file, lines, keys }, () => [
      `Wrote ${file}: ${keys.toLocaleString('en')} passwords from ${lines.toLocaleString('en')} lines.`,
      'Next: copy it to every API server and set policies.<name>.blocklist to its path there.',
    ]);
    return 'done';
  } catch (error) {
    if (error instanceof BadLine) throw usage(`${error.message}. No blocklist was written.`);
    const { code, path: file } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw usage(`${file ?? from} cannot be read or written (${code}).`);
  }
}

const PROGRESS_SECONDS = 5;

/** Passes a value on to `report` at most once in this many seconds, for the first time after that long. */
function everySeconds<T>(seconds: number, report: (value: T) => void): (value: T) => void {
  let reportedAt = performance.now();
  return (value) => {
    if (performance.now() - reportedAt < seconds * 1000) return;
    reportedAt = performance.now();
    report(value);
  };
}
