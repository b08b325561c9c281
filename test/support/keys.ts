import { mkdtempSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { signerKey } from '../../store/epochs';
import { openKeyDirectory, SIGNER_PUBLIC_FILE } from '../../store/worker/keys/key-directory';

/** A new key directory, and the public key of its signer, which the api would get. */
export async function newKeyDirectory() {
  const dir = path.join(mkdtempSync(path.join(os.tmpdir(), 'lockstep-keys-')), 'keys');
  const keys = await openKeyDirectory(dir);
  const signer = signerKey(JSON.parse(readFileSync(path.join(dir, SIGNER_PUBLIC_FILE), 'utf8')));
  return { dir, keys, signer };
}
