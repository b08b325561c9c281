import { parentPort } from 'node:worker_threads';
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common';
import { dictionary as english } from '@zxcvbn-ts/language-en';

/**
 * The request to the thread that runs zxcvbn. It is a thread of its own because zxcvbn is slow for some passwords, and
 * takes them as strings, which cannot be zeroed. `strength.ts` limits the time, and replaces the thread.
 */
export interface Question {
  readonly id: number;
  /** The password in UTF-8. The thread zeroes it. */
  readonly bytes: Uint8Array;
}

export interface Answer {
  readonly id: number;
  readonly strength: number;
}

/**
 * The two limits keep the worst password of 64 characters, one of possible letter substitutes only, at a tenth of a
 * second instead of a second. Characters after the 64th never make a password weaker.
 */
const zxcvbn = new ZxcvbnFactory({
  graphs: adjacencyGraphs,
  dictionary: { ...common, ...english },
  l33tMaxSubstitutions: 4,
  maxLength: 64,
});

parentPort?.on('message', ({ id, bytes }: Question) => {
  const text = Buffer.from(bytes.buffer).toString('utf8');
  bytes.fill(0);
  const answer: Answer = { id, strength: zxcvbn.check(text).score };
  parentPort?.postMessage(answer);
});
parentPort?.postMessage('ready');
