import { type Environment, Misconfigured } from '../../../config';
import type { Database } from '../../database';
import type { MasterKeyStore } from './key-store';
import { openMasterFolder } from './master-folder';
import { openSealedKeys } from './sealed-keys';
import { openTransit } from './transit';

type Settings = Pick<
  Environment,
  | 'LOCKSTEP_TRANSIT_URL'
  | 'LOCKSTEP_TRANSIT_KEY'
  | 'LOCKSTEP_TRANSIT_TOKEN_FILE'
  | 'LOCKSTEP_TRANSIT_CA_FILE'
>;

/**
 * Opens the store of the master keys that the environment chooses: a key server if it names one, or else the key folder.
 * The key server is asked later, so a process starts while it is away.
 * @throws Misconfigured when a variable is missing
 */
export function openMasterKeys(settings: Settings, keyDir: string, db: Database): MasterKeyStore {
  const { LOCKSTEP_TRANSIT_URL: url, LOCKSTEP_TRANSIT_TOKEN_FILE: tokenFile } = settings;
  if (url === undefined) return openMasterFolder(keyDir);
  if (tokenFile === undefined)
    throw new Misconfigured(
      'Set LOCKSTEP_TRANSIT_TOKEN_FILE to the file with the token for the key server of LOCKSTEP_TRANSIT_URL.',
    );
  return openSealedKeys(
    db,
    openTransit({
      url: url.replace(/\/$/, ''),
      key: settings.LOCKSTEP_TRANSIT_KEY,
      tokenFile,
      caFile: settings.LOCKSTEP_TRANSIT_CA_FILE,
    }),
  );
}
