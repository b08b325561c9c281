import { writeSync } from 'node:fs';
import { describeError } from './described-error';

/**
 * Importing this first makes a process log an error that nothing catches as a line of JSON, and exit with code 1. Node
 * would print its message, which may quote a password, and a log collector could not read it. `log.ts` is not used,
 * because the error may come from the environment, which `log.ts` needs.
 */
process.on('uncaughtException', (error) => {
  const line = {
    level: 'error',
    time: new Date().toISOString(),
    error: describeError(error),
    msg: 'the process failed and exits',
  };
  try {
    writeSync(process.stdout.fd, `${JSON.stringify(line)}\n`);
  } finally {
    process.exit(1);
  }
});
