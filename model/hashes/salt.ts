import { hkdfSync } from 'node:crypto';
import type { Secret } from '../passwords/secret';

const SALT_BYTES = 16;

/**
 * The salt of one account in one change: its own for each, and the same in each attempt, so that a repeat writes the same
 * bytes. Salts are stored beside the hashes in clear, so the seed protects nothing; it only has to be drawn anew each time.
 */
export const saltFor = (seed: Secret, accountId: string): Buffer =>
  Buffer.from(seed.use((bytes) => hkdfSync('sha256', bytes, '', `salt ${accountId}`, SALT_BYTES)));
