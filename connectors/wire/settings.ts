import { z } from 'zod';
import type { Traits } from '../contract';
import type { Served } from './connector';

/** Settings that describe what a program of the customer (`command` or `webhook`) supports. */
export const servedShape = {
  proof: z
    .enum(['login', 'hash', 'none'])
    .describe(
      'Proof that its verify gives: login, or hash for a comparison with the stored hash. none: it has no verify, so a success response to setPassword is trusted.',
    ),
  operations: z
    .array(z.enum(['find', 'list', 'state', 'policies']))
    .default([])
    .describe('Operations that it supports in addition to setPassword, verify and check.'),
};

type ServedSettings = z.infer<z.ZodObject<typeof servedShape>>;

export const servedBy = ({ proof, operations }: ServedSettings): Served => ({
  verifies: proof !== 'none',
  operations,
});

export const traitsBy = ({ proof }: ServedSettings): Partial<Traits> => ({ proof });
