import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { holds } from '../../connectors/encodings';
import { readSecret } from '../../model/hashes/encoding';
import { Secret } from '../../model/passwords/secret';
import { listenForCaptures } from '../hand-over/listener';
import type { Domain, DomainFacts } from './domain';
import type { SambaForm } from './form';
import { readOnce } from './reader';
import type { Tools } from './tools';

/** The result of changing a test account: the domain refused it, or accepted it and a relay would or would not receive it. */
export type Sighting =
  | { readonly state: 'delivered' }
  | { readonly state: 'refused'; readonly says: string }
  | { readonly state: 'missing'; readonly says: string };

/** What a canary needs: a domain and a test account in it. */
export interface CanaryOptions {
  readonly tools: Tools;
  readonly domain: Domain;
  readonly facts: DomainFacts;
  readonly form: SambaForm;
  /** Folder of the reader. The canary runs the reader there, so it runs under the same conditions later. */
  readonly dir: string;
  /** The sAMAccountName of the test account. */
  readonly account: string;
  /** Whether to create the account if it does not exist. */
  readonly make: boolean;
}

/**
 * Changes the password of a test account, and lets the installed reader hand it over. A listener of this process takes the part
 * of the relay and compares what arrives.
 */
export async function sendCanary(options: CanaryOptions): Promise<Sighting> {
  const password = newPassword();
  try {
    const refusal = await options.domain.change(options.account, password, options.make);
    if (refusal !== null) return { state: 'refused', says: refusal };
    return await watch(options, password);
  } finally {
    password.destroy();
  }
}

/** A random password for the test account. It has all four classes of characters, so that it satisfies any policy. */
export const newPassword = (): Secret =>
  Secret.fromText(`Canary-1-${randomBytes(24).toString('base64url')}`);

async function watch(
  { tools, facts, form, dir, account }: CanaryOptions,
  password: Secret,
): Promise<Sighting> {
  const folder = mkdtempSync(path.join(dir, '.canary-'));
  let arrived = false;
  const socket = path.join(folder, 'relay.sock');
  const listener = await listenForCaptures(socket, 0o600, async (capture) => {
    arrived ||= await isCanary(capture, form, password);
    return null;
  });
  try {
    const reader = { tools, dir, smbConf: facts.smbConf, form, socket };
    const says = await readOnce(reader, account, path.join(folder, 'cursor.json'));
    return arrived ? { state: 'delivered' } : { state: 'missing', says };
  } finally {
    await listener.close();
    rmSync(folder, { recursive: true });
  }
}

interface Arrived {
  readonly password: Secret;
  readonly hashed: boolean;
}

async function isCanary(
  { password, hashed }: Arrived,
  form: SambaForm,
  sent: Secret,
): Promise<boolean> {
  if (form === 'plaintext') return !hashed && password.equals(sent);
  if (!hashed || readSecret(password)?.scheme !== form) return false;
  const text = password.use((bytes) => bytes.toString('latin1'));
  return (await holds(text, sent)) === true;
}
