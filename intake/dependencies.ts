import type { KeyObject } from 'node:crypto';
import type { AppliedConfiguration } from '../store/configuration/versions';
import type { Database } from '../store/database';
import type { KeyToSealTo } from './epochs';
import type { PolicyChecker } from './policy/check-policy';

/** Everything that accepting a new password needs, in the api as in the worker. */
export interface IntakeDependencies {
  readonly db: Database;
  readonly configuration: (atLeast?: number) => Promise<AppliedConfiguration>;
  readonly keyToSealTo: KeyToSealTo;
  readonly policyChecker: PolicyChecker;
  readonly settings: IntakeSettings;
}

export interface IntakeSettings {
  /** The key of the fingerprints, by which a repeated request or password is recognised: see `fingerprint.ts`. */
  readonly fingerprintKey: KeyObject;
  readonly ageLimitMs: number;
}
