import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { log } from '../log';
import { type SealingKey, sealingKey } from '../sealing/jwe';
import { isPublishedBy } from '../sealing/published-key';
import { parseJson } from './parse-json';
import { replaceFile } from './replace-file';

/** The worker's public key with which captures are sealed. It is signed by the signer pinned when the relay was set up. */
export interface PinnedKey {
  /** The newest accepted key; null until the first one is fetched. */
  current(): SealingKey | null;
  /** Accepts the key if its signature is valid and it is newer, and stores it so that it survives a restart. */
  offer(key: unknown): Promise<void>;
}

const publishedSchema = z.object({
  id: z.string(),
  publicKey: z.object({ kty: z.string(), crv: z.string(), x: z.string() }),
  sealUntil: z.coerce.date(),
  signature: z.string(),
});

/**
 * Opens the stored key. An expired key stays in use while no newer one can be fetched: the worker keeps the private key for
 * another week, whereas a capture that the relay refuses is lost at once.
 */
export async function openPinnedKey(dir: string, signer: KeyObject): Promise<PinnedKey> {
  const file = path.join(dir, 'key.json');
  let known: { readonly key: SealingKey; readonly sealUntil: Date } | null = null;

  async function accept(offered: unknown): Promise<boolean> {
    const parsed = publishedSchema.safeParse(offered);
    if (!parsed.success || !isPublishedBy(signer, 'capture', parsed.data)) {
      log.error(
        'the relay ignored a sealing key: the pinned signer did not sign it. See "signer" in relay.json',
      );
      return false;
    }
    const { id, publicKey, sealUntil } = parsed.data;
    if (known !== null && sealUntil <= known.sealUntil) return false;
    known = { key: await sealingKey(id, publicKey), sealUntil };
    return true;
  }

  const kept = await readFile(file, 'utf8').catch(() => null);
  if (kept !== null) await accept(parseJson(kept));
  return {
    current: () => known?.key ?? null,
    async offer(key) {
      if (await accept(key)) await replaceFile(file, JSON.stringify(key));
    },
  };
}
