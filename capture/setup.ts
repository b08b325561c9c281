import { generateKeyPairSync } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { z } from 'zod';
import { Misconfigured } from '../config';
import { makePrivateFolder, onWindows, PIPES } from './platform';
import { relayFileSchema } from './settings';

/** The response of `POST /v1/relays` when a relay is registered. */
export interface Registration {
  readonly id: string;
  /** The API key of the relay. */
  readonly key: string;
  readonly signer: z.input<typeof relayFileSchema>['signer'];
}

export interface Setup {
  /** Folder of the new relay. */
  readonly dir: string;
  /** URL of the api. */
  readonly url: string;
  readonly source: string;
  readonly caFile: string | null;
  /** Registers the public key (JWK) of the relay with the api. */
  register(publicKey: unknown): Promise<Registration>;
}

/**
 * Creates the folder of a new relay with its keys and its configuration. The private key never leaves the folder.
 * @returns path of the configuration file
 * @throws Misconfigured if the folder already holds a relay, which may have captures to deliver
 */
export async function setUpRelay({ dir, url, source, caFile, register }: Setup): Promise<string> {
  const file = path.join(dir, 'relay.json');
  if (existsSync(file))
    throw new Misconfigured(`${file} already exists: choose another folder for the new relay`);
  if (!makePrivateFolder(dir) && onWindows)
    throw new Misconfigured(
      `${dir} already exists, and other users may have rights to it: name a folder that does not exist yet`,
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
