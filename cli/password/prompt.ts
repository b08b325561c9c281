import type { Writable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import type { Secret } from '../../model/passwords/secret';
import { Failure } from '../failure';
import { createTypedLine } from './typed-line';

/** Asks for passwords at a terminal without showing what is typed. */
export interface Prompt {
  /** @returns the typed line. @throws Failure on Ctrl-C, Ctrl-D or when the terminal closes */
  ask(question: string): Promise<Secret>;
  /** Shows a line. */
  note(text: string): void;
  /** Restores the terminal. */
  close(): void;
}

const BELL = '\x07';

/** Switches the terminal to raw mode, which ends the echo, until the prompt is closed. */
export function openPrompt(input: ReadStream, output: Writable): Prompt {
  // Bytes that were typed or pasted before the next question was asked.
  let ahead = Buffer.alloc(0);
  input.setRawMode(true);
  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        const line = createTypedLine();
        const finish = (end: () => void) => {
          input.off('data', read).off('end', stop).pause();
          output.write('\n');
          end();
          line.clear();
        };
        const stop = () => finish(() => reject(new Failure('Stopped. Nothing was sent.')));
        const read = (chunk: Buffer) => {
          for (const [index, byte] of chunk.entries()) {
            const typed = line.type(byte);
            if (typed === 'ignored') output.write(BELL);
            if (typed !== 'ended' && typed !== 'stopped') continue;
            ahead = Buffer.from(chunk.subarray(index + 1));
            chunk.fill(0);
            return typed === 'ended' ? finish(() => resolve(line.take())) : stop();
          }
          chunk.fill(0);
        };
        output.write(question);
        input.on('data', read).on('end', stop).resume();
        const waiting = ahead;
        ahead = Buffer.alloc(0);
        read(waiting);
      }),
    note: (text) => void output.write(`${text}\n`),
    close() {
      ahead.fill(0);
      input.setRawMode(false);
      input.pause();
    },
  };
}
