import { z } from 'zod';
import type { Traits } from '../contract';
import type { Served } from './connector';

/** What only its author knows of a program that speaks the contract. */
export const servedShape = {
  proof: z
    .enum(['login', 'hash', 'none'])
    .describe(
      'How its verify proves a password: by a login, or by the stored hash. none: it has no verify, and success is believed.',
    ),
  operations: z
    .array(z.enum(['find', 'list', 'state', 'policies']))
    .default([])
    .describe('What it can do besides setPassword, verify and check.'),
};

type ServedSettings = z.infer<z.ZodObject<typeof servedShape>>;

export const servedBy = ({ proof, operations }: ServedSettings): Served => ({
  verifies: proof !== 'none',
  operations,
});

export const traitsBy = ({ proof }: ServedSettings): Partial<Traits> => ({ proof });
