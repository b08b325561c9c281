import { Worker } from 'node:worker_threads';
import type { Argon2, Bcrypt, ShaCrypt } from '../model/hashes/layout';
import type { Secret } from '../model/passwords/secret';
import { zeroableBytes } from '../model/passwords/zeroable';

/** Node has none of these. Some of them take a good part of a second, which an event loop has not. */
export interface Work {
  readonly recipe: Argon2 | Bcrypt | ShaCrypt;
  readonly salt: Uint8Array;
  /** Of the key, in bytes, where it may have any. */
  readonly size: number;
}

export interface Question extends Work {
  /** Zeroed there. */
  readonly password: Uint8Array;
}

/** Each takes a core, and up to 256 MiB. */
const AT_ONCE = 2;

let running = 0;
const waiting: (() => void)[] = [];

/** In a thread of its own for each, whose memory goes with it: WebAssembly keeps what it has seen. */
export async function deriveApart(work: Work, password: Secret): Promise<Buffer> {
  // Transferred, not copied: the thread zeroes the only bytes that there are.
  const bytes = password.use((own) => {
    const copy = zeroableBytes(own.length);
    copy.set(own);
    return copy;
  });
  if (running === AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    // Its own bytes: with a part of a larger buffer the thread would get all of it.
    const salt = new Uint8Array(work.salt);
    return Buffer.from(await ask({ ...work, salt, password: bytes }));
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}

function ask(question: Question): Promise<Uint8Array> {
  const { execArgv } = process;
  const thread = new Worker(require.resolve('./hashing-thread'), {
    env: {},
    execArgv,
    workerData: question,
    transferList: [question.password.buffer as ArrayBuffer],
  });
  return new Promise<Uint8Array>((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', () => reject(new Error('A thread that hashes ended without an answer')));
  });
}
