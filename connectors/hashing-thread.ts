import { parentPort, workerData } from 'node:worker_threads';
import { argon2d, argon2i, argon2id, bcrypt } from 'hash-wasm';
import type { Argon2 } from '../model/hashes/layout';
import type { Question } from './hashing';
import { shaCrypt } from './sha-crypt';

/** See `hashing.ts`. Answers one question. */

const variants: Readonly<Record<Argon2['variant'], typeof argon2id>> = {
  argon2i,
  argon2d,
  argon2id,
};

async function answer({ recipe, salt, size, password }: Question): Promise<Uint8Array> {
  switch (recipe.algorithm) {
    case 'sha-crypt':
      return shaCrypt(recipe, password, salt);
    case 'bcrypt': {
      const costFactor = recipe.cost;
      const key = await bcrypt({ password, salt, costFactor, outputType: 'binary' });
      // The last of its 24 bytes is written nowhere.
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

const question = workerData as Question;
void answer(question)
  .finally(() => question.password.fill(0))
  .then((key) => parentPort?.postMessage(key));
