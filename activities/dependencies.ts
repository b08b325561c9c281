import type { Connector } from '../connectors/contract';
import type { SourceConfiguration } from '../model/configuration/document';
import type { AppliedConfiguration } from '../store/configuration/versions';
import type { Database } from '../store/database';
import type { KeyStore } from '../store/worker/keys/key-store';

/** Everything that an activity may touch. */
export interface Dependencies {
  readonly db: Database;
  readonly keys: KeyStore;
  /** The configuration of at least this version. */
  readonly configuration: (version: number) => Promise<AppliedConfiguration>;
  /** The connector of a source, opened once and kept. */
  readonly connector: (source: string, configuration: SourceConfiguration) => Promise<Connector>;
  /** From 0 to 1. */
  readonly random: () => number;
}
