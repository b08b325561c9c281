import { z } from 'zod';
import { secretReference } from '../../model/configuration/document';
import { HARD_DEADLINE_MS } from '../contract';
import { servedShape } from '../wire/settings';

const path = z.string().regex(/^\/[^\0]*$/, 'give an absolute path');

export const commandSettings = z.strictObject({
  command: path.describe(
    'Absolute path of the program, below LOCKSTEP_COMMAND_DIR. It is started for each request, without a shell.',
  ),
  arguments: z
    .array(
      z
        .string()
        .regex(/^[^\0]*$/, 'must not contain NUL')
        .refine(
          (text) => !secretReference.test(text),
          'everyone on the machine can see arguments: let the program read its secret from a file',
        ),
    )
    .default([])
    .describe(
      'Arguments of the program. They must not contain secrets, because everyone on the machine can see them.',
    ),
  workingDirectory: path.default('/').describe('Folder in which the program is started.'),
  environment: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z_]\w*$/, 'give the name of a variable, without a value')
        .refine(
          (name) => !/^(LOCKSTEP_(?!SECRET_)|TEMPORAL_|DATABASE_URL$|PG[A-Z])/.test(name),
          'is a variable of Lockstep itself',
        ),
    )
    .default([])
    .describe(
      'Names of environment variables that the program gets from the worker. Without them it gets PATH and LANG only.',
    ),
  timeoutMs: z
    .int()
    .min(10)
    // timeout(1), which `process.ts` starts around the program, waits one second longer.
    .max(HARD_DEADLINE_MS - 2_000)
    .default(10_000)
    .describe('Time limit for one request, in milliseconds. After it the program is killed.'),
  concurrency: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe('Maximum number of requests, and so of processes, at the same time.'),
  ...servedShape,
});

export type CommandSettings = z.infer<typeof commandSettings>;
