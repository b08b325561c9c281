import { existsSync } from 'node:fs';
import path from 'node:path';
import { Misconfigured } from '../../config';
import type { Secret } from '../../model/passwords/secret';
import { lastLine, runTool, type Tools } from './tools';

export interface DomainFacts {
  readonly smbConf: string;
  readonly serverRole: string;
  /** URL of the socket where whoever may open it is the system itself. */
  readonly ldapi: string;
  /** Where `samba-tool user syncpasswords` keeps what it was told, and how far it is. */
  readonly cache: string;
  /** Of the server that runs; another one after a restart. */
  readonly pidFile: string;
  readonly gpgKeyIds: readonly string[];
  readonly hashSchemes: readonly string[];
  /** Whether the Python of samba-tool has the module gpg. */
  readonly readsGpg: boolean;
}

export interface Told {
  readonly script: string;
  readonly attributes: readonly string[];
  readonly decrypts: boolean;
}

/** The domain of this controller, by Samba's own Python: `capture/shims/samba/domain.py`. */
export interface Domain {
  facts(): Promise<DomainFacts>;
  /** Null when nothing was set up yet. */
  told(): Promise<Told | null>;
  controllers(): Promise<number>;
  /**
   * Sets the password of an account, by the server that runs.
   * @param make whether an account that is not there is made, disabled
   * @returns why it was refused, or null
   */
  change(account: string, password: Secret, make: boolean): Promise<string | null>;
  /** Takes away an account that `change` made. */
  remove(account: string): Promise<void>;
}

/** What runs in a domain controller lies beside the code, and is not compiled. */
const SHIMS = ['../shims/samba', '../../../capture/shims/samba'];

/** @param file below capture/shims/samba */
export function shim(file: string): string {
  const found = SHIMS.map((folder) => path.join(__dirname, folder, file)).find((one) =>
    existsSync(one),
  );
  if (found === undefined) throw new Misconfigured(`${file} is missing: install Lockstep anew`);
  return found;
}

/** @param smbConf null: the one that Samba was built with */
export function openDomain({ python }: Tools, smbConf: string | null): Domain {
  const ask = async <T>(args: readonly string[], input?: Secret): Promise<T> => {
    const configured = smbConf === null ? [] : ['-s', smbConf];
    const ran = await runTool(python, [shim('domain.py'), ...configured, ...args], input);
    if (ran.code !== 0) throw new Misconfigured(`Samba did not answer: ${lastLine(ran)}`);
    return JSON.parse(ran.stdout) as T;
  };
  return {
    facts: () => ask(['facts']),
    told: () => ask(['told']),
    controllers: () => ask(['controllers']),
    change: (account, password, make) =>
      ask([...(make ? ['--make'] : []), 'change', account], password),
    remove: async (account) => {
      await ask(['remove', account]);
    },
  };
}
