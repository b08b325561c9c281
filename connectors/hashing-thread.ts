import { parentPort, workerData } from 'node:worker_threads';
import { argon2d, argon2i, argon2id, bcrypt } from 'hash-wasm';
import type { Argon2 } from '../model/hashes/layout';
import type { HashingTask } from './hashing';
import { shaCrypt } from './sha-crypt';

/** The thread that `hashing.ts` starts for one task. It posts the derived key, and zeroes its copy of the password. */

const variants: Readonly<Record<Argon2['variant'], typeof argon2id>> = {
  argon2i,
  argon2d,
  argon2id,
};

async function derive({ recipe, salt, size, password }: HashingTask): Promise<Uint8Array> {
  switch (recipe.algorithm) {
    case 'sha-crypt':
      return shaCrypt(recipe, password, salt);
    case 'bcrypt': {
      const costFactor = recipe.cost;
      const key = await bcrypt({ password, salt, costFactor, outputType: 'binary' });
      // The text form of a bcrypt hash omits the last of its 24 bytes.
      return key.slice(0, 23);
    }
    case 'argon2':
      return variants[recipe.variant]({
        password,
        salt,
        iterations: recipe.passes,
        parallelism: recipe.lanes,
        memorySize: recipe.memoryKib,
        hashLength: size,
        outputType: 'binary',
      });
  }
}

const task = workerData as HashingTask;
void derive(task)
  .finally(() => task.password.fill(0))
  .then((key) => parentPort?.postMessage(key));
