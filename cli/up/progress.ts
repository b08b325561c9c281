import type { WriteStream } from 'node:tty';

export interface Progress {
  /** A step that begins, as it is seen by whoever waits. */
  readonly say: (line: string) => void;
  /** Since the process was started. */
  readonly readySeconds: () => number;
}

/** A line a step, with the time since the start: it shows that something moves, and afterwards where the time went. */
export const startProgress = (stream: Pick<WriteStream, 'write'>): Progress => ({
  say: (line) => stream.write(`${seconds().toFixed(1).padStart(6)} s  ${line}\n`),
  readySeconds: () => Math.round(seconds() * 10) / 10,
});

const seconds = (): number => process.uptime();
