import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { passedOn } from '../../config';
import { type Call, type Lost, noAnswer, type Reply } from '../wire/connector';
import { type Ending, runProgram } from './process';
import type { CommandSettings } from './settings';
import { turnsOf } from './turns';

/** EX_TEMPFAIL of sysexits.h: the program promises that it has done nothing. */
const NOTHING_DONE = 75;

/** @param isAllowed whether programs may be run from there at all */
export function callProgram(settings: CommandSettings, isAllowed: () => boolean): Call {
  const turns = turnsOf(settings.concurrency);
  return async (request) => {
    const deadline = performance.now() + settings.timeoutMs;
    if (!isAllowed()) return notRead('not_allowed');
    // Whoever comes late still has time to do it.
    if (!(await turns.take(settings.timeoutMs / 2))) return { ...notRead(null), reason: 'busy' };
    try {
      const missing = await whyNot(settings.command);
      if (missing !== null) return notRead(missing);
      return replyOf(await runProgram(specOf(settings, deadline - performance.now()), request));
    } finally {
      turns.giveBack();
    }
  };
}

/** Looked at before: what starts it would only say, by an exit code, what the program might say too. */
const whyNot = (command: string): Promise<string | null> =>
  access(command, constants.X_OK).then(
    () => null,
    ({ code = 'unknown' }: NodeJS.ErrnoException) => code,
  );

const specOf = (
  { command, arguments: args, workingDirectory, environment }: CommandSettings,
  timeoutMs: number,
) => ({
  command,
  args,
  cwd: workingDirectory,
  // So that text is UTF-8, whatever the locale of the worker.
  env: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', ...passedOn(environment) },
  timeoutMs,
});

const notRead = (vendorCode: string | null): Lost => ({
  reason: 'unreachable',
  vendorCode,
  sent: false,
});

/** It has the request from its first moment on, so whatever else it did, it may have acted. */
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
      if (ending.status === 0) return answerIn(ending.output);
      ending.output.fill(0);
      return {
        ...noAnswer(`exit_${ending.status}.stderr_${ending.stderrBytes}`),
        ...(ending.status === NOTHING_DONE && { reason: 'busy', sent: false }),
      };
  }
}

/** The message of a JSON error quotes what it chokes on, so nothing of it is kept. */
function answerIn(output: Buffer): Reply {
  try {
    return { answer: JSON.parse(output.toString('utf8')) };
  } catch {
    return noAnswer('not_json');
  } finally {
    output.fill(0);
  }
}
