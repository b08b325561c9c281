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
    .summary('make a blocklist of leaked passwords')
    .description('Blocklists: files of passwords that a policy refuses.')
    .addCommand(buildCommand());

interface Options {
  readonly minCount: number;
}

const buildCommand = (): Command =>
  new Command('build')
    .summary('make a blocklist file')
    .description(
      'Makes the file that a policy names as blocklist, without asking anybody: neither api nor internet.',
    )
    .argument(
      '<from>',
      'what the Pwned Passwords downloader wrote (SHA-1), or a file with a password a line',
    )
    .argument('<to>', 'the blocklist; one that is there is replaced')
    .option('--min-count <n>', 'leave out what was seen less often', count, 1)
    .addHelpText(
      'after',
      helpText({
        examples: [
          [
            'lockstep blocklist build pwned.txt /etc/lockstep/leaked.blocklist --min-count 10',
            '6 bytes a password; copy it to every api and name it in lockstep.yaml',
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
    output.note(`${lines.toLocaleString('en')} lines, ${Math.floor(read * 100)} %`),
  );
  try {
    const { lines, keys } = await buildBlocklist({ from, to, minCount, onProgress });
    const file = path.resolve(to);
    output.show({ file, lines, keys }, () => [
      `${file}: ${keys.toLocaleString('en')} keys of ${lines.toLocaleString('en')} lines.`,
      `Next: copy it to every api and set policies.<name>.blocklist to its path there.`,
    ]);
    return 'done';
  } catch (error) {
    if (error instanceof BadLine) throw usage(`${error.message}. Nothing was made.`);
    const { code, path: file } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw usage(`${file ?? from} cannot be used (${code}).`);
  }
}

const PROGRESS_SECONDS = 5;

function everySeconds<T>(seconds: number, tell: (value: T) => void): (value: T) => void {
  let told = performance.now();
  return (value) => {
    if (performance.now() - told < seconds * 1000) return;
    told = performance.now();
    tell(value);
  };
}
