import { existsSync } from 'node:fs';
import path from 'node:path';
import { Misconfigured } from '../../config';
import type { Secret } from '../../model/passwords/secret';
import { lastLine, runTool, type Tools } from './tools';

/** The configuration of a domain controller. */
export interface DomainFacts {
  /** Path of smb.conf. */
  readonly smbConf: string;
  /** Server role, such as ROLE_ACTIVE_DIRECTORY_DC. */
  readonly serverRole: string;
  /** The script that `samba-tool user syncpasswords` is configured to run; null if it is not configured. */
  readonly syncScript: string | null;
  /** File with the process id of the running server, which changes when Samba restarts. */
  readonly pidFile: string;
  /** Value of `password hash gpg key ids`. */
  readonly gpgKeyIds: readonly string[];
  /** Value of `password hash userPassword schemes`. */
  readonly hashSchemes: readonly string[];
}

/** The domain of this controller, queried with Samba's own Python (`capture/shims/samba/domain.py`). */
export interface Domain {
  facts(): Promise<DomainFacts>;
  /** Number of domain controllers in the domain. */
  controllers(): Promise<number>;
  /**
   * Sets the password of an account through the running server.
   * @param make whether to create the account, disabled, if it does not exist
   * @returns why the server refused it, or null
   */
  change(account: string, password: Secret, make: boolean): Promise<string | null>;
  /** Deletes an account that `change` created. */
  remove(account: string): Promise<void>;
}

/** Folders of the Python scripts, relative to this file in the sources and in the build, which does not copy them. */
const SHIMS = ['../shims/samba', '../../../capture/shims/samba'];

/** The path of a script or a folder of scripts. @param name its name in capture/shims/samba */
export function shim(name: string): string {
  const found = SHIMS.map((folder) => path.join(__dirname, folder, name)).find((candidate) =>
    existsSync(candidate),
  );
  if (found === undefined)
    throw new Misconfigured(`${name} is missing from the installation: install Lockstep again`);
  return found;
}

/** @param smbConf path of smb.conf; null for the one that Samba was built with */
export function openDomain({ python }: Tools, smbConf: string | null): Domain {
  const ask = async <T>(args: readonly string[], input?: Secret): Promise<T> => {
    const configured = smbConf === null ? [] : ['-s', smbConf];
    const ran = await runTool(python, [shim('domain.py'), ...configured, ...args], input);
    if (ran.code !== 0) throw new Misconfigured(`The query of Samba failed: ${lastLine(ran)}`);
    return JSON.parse(ran.stdout) as T;
  };
  return {
    facts: () => ask(['facts']),
    controllers: () => ask(['controllers']),
    change: (account, password, make) =>
      ask([...(make ? ['--make'] : []), 'change', account], password),
    remove: async (account) => {
      await ask(['remove', account]);
    },
  };
}
