import { hkdfSync } from 'node:crypto';
import type { Secret } from '../passwords/secret';

const SALT_BYTES = 16;

/**
 * The salt of one account in one change. It differs for every account and change, and is the same in each attempt, so
 * that a repeat writes the same bytes. Salts are stored in clear next to the hashes, so the seed protects nothing; it
 * only has to be drawn again for each change.
 */
export const saltFor = (seed: Secret, accountId: string): Buffer =>
  Buffer.from(seed.use((bytes) => hkdfSync('sha256', bytes, '', `salt ${accountId}`, SALT_BYTES)));
