import type { Writable } from 'node:stream';
import type { ReadStream } from 'node:tty';
import type { Secret } from '../../model/passwords/secret';
import { Failure } from '../failure';
import { createTypedLine } from './typed-line';

/** Asks at a terminal without echo. */
export interface Prompt {
  ask(question: string): Promise<Secret>;
  /** Gives the terminal back. */
  close(): void;
}

const BELL = '\x07';

export function openPrompt(input: ReadStream, output: Writable): Prompt {
  // Typed or pasted ahead of the next question.
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
          line.forget();
        };
        const stop = () => finish(() => reject(new Failure('Stopped; nothing was sent.')));
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
    close() {
      ahead.fill(0);
      input.setRawMode(false);
      input.pause();
    },
  };
}
