import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { passedOn } from '../../config';
import { type Call, type Lost, noAnswer, type Reply } from '../wire/connector';
import { type Ending, runProgram } from './process';
import type { CommandSettings } from './settings';
import { turnsOf } from './turns';

/** EX_TEMPFAIL of sysexits.h. By this exit code the program promises that it has done nothing. */
const NOTHING_DONE = 75;

/** Calls the program for each request. @param isAllowed whether the worker may run this program */
export function callProgram(settings: CommandSettings, isAllowed: () => boolean): Call {
  const turns = turnsOf(settings.concurrency);
  return async (request) => {
    const deadline = performance.now() + settings.timeoutMs;
    if (!isAllowed()) return notRead('not_allowed');
    // A request that gets its turn late still has half of the time to run.
    if (!(await turns.take(settings.timeoutMs / 2))) return { ...notRead(null), reason: 'busy' };
    try {
      const missing = await whyNotRunnable(settings.command);
      if (missing !== null) return notRead(missing);
      return replyOf(await runProgram(programOf(settings, deadline - performance.now()), request));
    } finally {
      turns.giveBack();
    }
  };
}

/**
 * Returns why the program cannot be run, or null. It is checked before the start, because timeout(1) reports the same by
 * an exit code that the program may use too.
 */
const whyNotRunnable = (command: string): Promise<string | null> =>
  access(command, constants.X_OK).then(
    () => null,
    ({ code = 'unknown' }: NodeJS.ErrnoException) => code,
  );

const programOf = (
  { command, arguments: args, workingDirectory, environment }: CommandSettings,
  timeoutMs: number,
) => ({
  command,
  args,
  cwd: workingDirectory,
  // LANG makes text UTF-8, whatever the locale of the worker.
  env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', ...passedOn(environment) },
  timeoutMs,
});

const notRead = (vendorCode: string | null): Lost => ({
  reason: 'unreachable',
  vendorCode,
  sent: false,
});

/** Translates how the program ended. Once started it has the request, so after most endings it may have acted. */
function replyOf(ending: Ending): Reply {
  switch (ending.ended) {
    case 'not_started':
      return notRead(ending.code);
    case 'too_slow':
      return { reason: 'unreachable', vendorCode: 'timeout', sent: true };
    case 'too_much':
    case 'signal':
      return noAnswer(ending.ended);
    case 'exit':
      if (ending.status === 0) return parseAnswer(ending.output);
      ending.output.fill(0);
      return {
        ...noAnswer(`exit_${ending.status}.stderr_${ending.stderrBytes}`),
        ...(ending.status === NOTHING_DONE && { reason: 'busy', sent: false }),
      };
  }
}

/** Parses the output and zeroes it. The message of a JSON error quotes the output, so it is dropped. */
function parseAnswer(output: Buffer): Reply {
  try {
    return { answer: JSON.parse(output.toString('utf8')) };
  } catch {
    return noAnswer('not_json');
  } finally {
    output.fill(0);
  }
}
