import { generateKeyPairSync } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { z } from 'zod';
import { Misconfigured } from '../config';
import { makePrivateFolder, onWindows, PIPES } from './platform';
import { relayFileSchema } from './settings';

export interface Registration {
  readonly id: string;
  readonly key: string;
  readonly signer: z.input<typeof relayFileSchema>['signer'];
}

export interface Setup {
  readonly dir: string;
  readonly url: string;
  readonly source: string;
  readonly caFile: string | null;
  /** Tells the api of the public key. */
  register(publicKey: unknown): Promise<Registration>;
}

/**
 * Makes the folder of a new relay: its keys, of which the private ones never leave it, and its configuration.
 * @returns the configuration file
 * @throws Misconfigured when there is one already, which may have captures to deliver
 */
export async function setUpRelay({ dir, url, source, caFile, register }: Setup): Promise<string> {
  const file = path.join(dir, 'relay.json');
  if (existsSync(file))
    throw new Misconfigured(`${file} is there already: choose another folder for a new relay`);
  if (!makePrivateFolder(dir) && onWindows)
    throw new Misconfigured(
      `${dir} is there already, and others may have rights to it: choose a folder that is not`,
    );
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { id, key, signer } = await register(publicKey.export({ format: 'jwk' }));
  keep(path.join(dir, 'signing-key.json'), JSON.stringify(privateKey.export({ format: 'jwk' })));
  keep(path.join(dir, 'api-key'), `${key}\n`);
  const content: z.input<typeof relayFileSchema> = {
    url,
    relay: id,
    source,
    apiKeyFile: 'api-key',
    signingKeyFile: 'signing-key.json',
    signer,
    ...(caFile === null ? {} : { caFile: path.resolve(caFile) }),
    spool: 'spool',
    socket: onWindows ? `${PIPES}lockstep` : 'run/capture.sock',
  };
  keep(file, `${JSON.stringify(relayFileSchema.parse(content), null, 2)}\n`);
  return file;
}

const keep = (file: string, content: string): void =>
  writeFileSync(file, content, { mode: 0o600, flag: 'wx' });
