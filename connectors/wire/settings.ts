import { z } from 'zod';
import { foldCase } from '../../model/people/fold-case';
import { exactNaming, type Naming } from '../../model/people/naming';
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
  ids: z
    .enum(['lasting', 'reusable'])
    .default('reusable')
    .describe(
      'lasting: the target never gives a nativeId to another account, so an account with the right nativeId and another name was renamed. reusable: it may, so name and nativeId must both agree.',
    ),
  names: z
    .enum(['exact', 'ignore-case'])
    .default('exact')
    .describe(
      'How the target compares names. ignore-case: names that differ only in case belong to one account.',
    ),
};

type ServedSettings = z.infer<z.ZodObject<typeof servedShape>>;

export const servedBy = ({ proof, operations }: ServedSettings): Served => ({
  verifies: proof !== 'none',
  operations,
});

/** How the accounts of the target are distinguished. Attributes that the program returns are compared exactly. */
export const namingBy = ({ ids, names }: ServedSettings): Naming => ({
  ...exactNaming,
  canonicalName: (name) => (names === 'exact' ? name : foldCase(name)),
  isLasting: () => ids === 'lasting',
});

export const traitsBy = ({ proof }: ServedSettings): Partial<Traits> => ({ proof });
