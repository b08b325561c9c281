import type { KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { log } from '../log';
import { type SealingKey, sealingKey } from '../sealing/jwe';
import { isPublishedBy } from '../sealing/published-key';
import { replaceFile } from './replace-file';

/** The key that captures are sealed to: of the worker, signed by the signer that was pinned when the relay was set up. */
export interface PinnedKey {
  /** Null until the first one was fetched. */
  current(): SealingKey | null;
  /** Kept if it is ours and newer, also over a restart while the server is away. */
  offer(key: unknown): Promise<void>;
}

const publishedSchema = z.object({
  id: z.string(),
  publicKey: z.object({ kty: z.string(), crv: z.string(), x: z.string() }),
  sealUntil: z.coerce.date(),
  signature: z.string(),
});

/**
 * One that has ended is used on while no newer one can be fetched: the worker keeps its half for a week, and a capture that
 * was refused would be lost at once.
 */
export async function openPinnedKey(dir: string, signer: KeyObject): Promise<PinnedKey> {
  const file = path.join(dir, 'key.json');
  let known: { readonly key: SealingKey; readonly sealUntil: Date } | null = null;

  async function accept(offered: unknown): Promise<boolean> {
    const parsed = publishedSchema.safeParse(offered);
    if (!parsed.success || !isPublishedBy(signer, 'capture', parsed.data)) {
      log.error('a key to seal to is not signed by the signer that was pinned, and is not used');
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

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
