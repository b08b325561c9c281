import { log } from '../log';
import type { Argon2, Bcrypt, ShaCrypt } from '../model/hashes/layout';
import type { Secret } from '../model/passwords/secret';
import { zeroableBytes } from '../model/passwords/zeroable';
import { startThread } from '../threads';

/** A hash to derive by an algorithm that Node lacks. Some take a large part of a second, too long for an event loop. */
export interface HashingWork {
  readonly recipe: Argon2 | Bcrypt | ShaCrypt;
  readonly salt: Uint8Array;
  /** Size of the key in bytes, for an algorithm that lets the caller choose it. */
  readonly size: number;
}

/** The message to the thread. */
export interface HashingTask extends HashingWork {
  /** The bytes of the password. The thread zeroes them. */
  readonly password: Uint8Array;
}

/** Lockstep itself could not hash the password, so this is no failure of the source. */
export class HashingFailed extends Error {}

/** Maximum number of threads. Each uses a core and up to 256 MiB. */
const AT_ONCE = 2;

let running = 0;
const waiting: (() => void)[] = [];

/**
 * Derives a key in a thread of its own. WebAssembly memory keeps copies of the password, and is freed with the thread.
 */
export async function deriveInThread(work: HashingWork, password: Secret): Promise<Buffer> {
  // The buffer is transferred and not copied, so the thread zeroes the only copy.
  const bytes = password.use((passwordBytes) => {
    const copy = zeroableBytes(passwordBytes.length);
    copy.set(passwordBytes);
    return copy;
  });
  if (running === AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    // A copy, because a view of a larger buffer would send that whole buffer to the thread.
    const salt = new Uint8Array(work.salt);
    return Buffer.from(await runThread({ ...work, salt, password: bytes }));
  } catch (error) {
    log.error('a password could not be hashed, so it was not written', { error });
    throw new HashingFailed();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}

function runThread(task: HashingTask): Promise<Uint8Array> {
  const thread = startThread(require.resolve('./hashing-thread'), {
    workerData: task,
    transferList: [task.password.buffer as ArrayBuffer],
  });
  return new Promise<Uint8Array>((resolve, reject) => {
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', () => reject(new Error('The hashing thread ended without a result')));
  });
}
