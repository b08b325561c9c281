import { Failure } from './failure';

/** What an operator has to put right is written for them; everything else is a mistake of ours. */
export function asFailure(error: unknown): never {
  const { Misconfigured } = require('../config') as typeof import('../config');
  if (error instanceof Misconfigured) throw new Failure(error.message, { exit: 'usage' });
  throw error;
}
