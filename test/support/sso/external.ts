import type { CompanyAccount } from '../company';
import type { Address } from '../proxy';

/** A system on a real server, as its administrator uses it. */
export interface ExternalSystem {
  /** The address of the server, which a proxy is put in front of. */
  readonly address: Address;
  /** The source of a configuration. @param at the address of the proxy */
  configuration(at: Address): object;
  addAccount(source: string): Promise<CompanyAccount>;
  /** Deletes an account in the system. */
  remove(account: CompanyAccount): Promise<void>;
  stop(): Promise<void>;
}
