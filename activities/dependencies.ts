import type { Connector } from '../connectors/contract';
import type { SourceConfiguration } from '../model/configuration/document';
import type { AccountRulesOf } from '../model/people/naming';
import type { AppliedConfiguration } from '../store/configuration/versions';
import type { Database } from '../store/database';
import type { KeyStore } from '../store/worker/keys/key-store';

/** Everything outside its arguments that an activity uses. The worker makes it once, at its start. */
export interface Dependencies {
  readonly db: Database;
  readonly keys: KeyStore;
  /** Returns the configuration in force; reads it again when the cached version is older than `version`. */
  readonly configuration: (version: number) => Promise<AppliedConfiguration>;
  /** Returns the connector of a source; it is opened at the first call and kept open. */
  readonly connector: (source: string, configuration: SourceConfiguration) => Promise<Connector>;
  /** How the accounts of a source are distinguished. */
  readonly accountRules: AccountRulesOf;
  /** The sources to which the worker is bound; absent for a worker of all sources that are not isolated. */
  readonly boundTo?: readonly string[];
  /** A random number from 0 to 1, as `Math.random`. */
  readonly random: () => number;
}
