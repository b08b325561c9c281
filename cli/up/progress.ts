import type { WriteStream } from 'node:tty';

export interface Progress {
  /** Prints the name of a step that begins. */
  readonly say: (line: string) => void;
  /** Seconds since the process started, rounded to a tenth. */
  readonly readySeconds: () => number;
}

/** Prints each step with the time since the process started, so that the operator sees progress and which step was slow. */
export const startProgress = (stream: Pick<WriteStream, 'write'>): Progress => ({
  say: (line) => stream.write(`${seconds().toFixed(1).padStart(6)} s  ${line}\n`),
  readySeconds: () => Math.round(seconds() * 10) / 10,
});

const seconds = (): number => process.uptime();
