import { writeSync } from 'node:fs';

/** Lines wait in memory while they cannot be written. Further lines are lost when this limit is reached. */
const MAX_WAITING_BYTES = 1 << 20;
const RETRY_MS = 100;

/** Takes the lines of the log. It never throws, and never blocks on a pipe. */
export interface LogOutput {
  write(line: string): void;
}

/**
 * Writes the log to stdout. A full disk, or a slow reader of a pipe, must not stop the process that logs to it: the lines
 * wait, and another attempt follows. When the reader of a pipe has gone, nothing is logged any more.
 * @param onLost is called with the number of lost lines once lines can be written again
 */
export function openLogOutput(onLost: (lines: number) => void): LogOutput {
  // Reading `process.stdout` makes a pipe non-blocking. A worker thread has no descriptor of its own.
  const fd = process.stdout.fd ?? 1;
  let waiting = Buffer.alloc(0);
  let lost = 0;
  let isClosed = false;
  let retry: NodeJS.Timeout | undefined;

  const flush = (): void => {
    try {
      while (waiting.length > 0) waiting = waiting.subarray(writeSync(fd, waiting));
    } catch (error) {
      isClosed = (error as NodeJS.ErrnoException).code === 'EPIPE';
      if (isClosed) waiting = Buffer.alloc(0);
      else retry = setTimeout(again, RETRY_MS).unref();
      return;
    }
    const lines = lost;
    lost = 0;
    if (lines > 0) onLost(lines);
  };
  const again = (): void => {
    retry = undefined;
    flush();
  };
  process.once('exit', flush);
  return {
    write(line) {
      const bytes = Buffer.from(line);
      if (isClosed) return;
      if (waiting.length + bytes.length > MAX_WAITING_BYTES) {
        lost++;
        return;
      }
      waiting = Buffer.concat([waiting, bytes]);
      if (retry === undefined) flush();
    },
  };
}
