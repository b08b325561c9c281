import { Failure } from './failure';

/**
 * Turns a `Misconfigured` error, whose message is written for operators, into a failure with exit code 2. Any other error is
 * a defect of Lockstep and is thrown on unchanged.
 */
export function asFailure(error: unknown): never {
  const { Misconfigured } = require('../config') as typeof import('../config');
  if (error instanceof Misconfigured) throw new Failure(error.message, { exit: 'usage' });
  throw error;
}
