import { z } from 'zod';
import { secretReference } from '../../model/configuration/document';
import { HARD_DEADLINE_MS } from '../contract';
import { servedShape } from '../wire/settings';

const path = z.string().regex(/^\/[^\0]*$/, 'give an absolute path');

export const commandSettings = z.strictObject({
  command: path.describe(
    'The program, by its absolute path below LOCKSTEP_COMMAND_DIR. It is started for each request, without a shell.',
  ),
  arguments: z
    .array(
      z
        .string()
        .regex(/^[^\0]*$/, 'may not hold NUL')
        .refine(
          (text) => !secretReference.test(text),
          'everyone on the machine sees arguments: let the program read its secret from a file',
        ),
    )
    .default([])
    .describe('Its arguments. No secrets: everyone on the machine sees them.'),
  workingDirectory: path.default('/').describe('Where it is started.'),
  environment: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z_]\w*$/, 'give names of variables, without values')
        .refine(
          (name) => !/^(LOCKSTEP_|TEMPORAL_|DATABASE_URL$)/.test(name),
          'is a variable of Lockstep itself',
        ),
    )
    .default([])
    .describe(
      'Names of variables that it gets from the environment of the worker. Without them it has PATH and LANG only.',
    ),
  timeoutMs: z
    .int()
    .min(10)
    // The leash of `process.ts` is a second longer.
    .max(HARD_DEADLINE_MS - 2_000)
    .default(10_000)
    .describe('How long one request may take, in milliseconds; then it is killed.'),
  concurrency: z
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe('How many of it run at the same time at most.'),
  ...servedShape,
});

export type CommandSettings = z.infer<typeof commandSettings>;
