import { parentPort } from 'node:worker_threads';
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common';
import { dictionary as english } from '@zxcvbn-ts/language-en';

/**
 * zxcvbn in a thread of its own: it takes long for some passwords, and wants them as strings, which nobody can zero. See
 * `strength.ts` for what is done about both.
 */
export interface Question {
  readonly id: number;
  /** UTF-8; zeroed here. */
  readonly bytes: Uint8Array;
}

export interface Answer {
  readonly id: number;
  readonly strength: number;
}

/**
 * Without these two, 64 characters that could all stand for letters take a second; with them, a tenth. What comes after 64
 * characters makes no password weaker.
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
