import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { holds } from '../../connectors/encodings';
import { readSecret } from '../../model/hashes/encoding';
import { Secret } from '../../model/passwords/secret';
import { listenForCaptures } from '../hand-over/listener';
import type { Domain, DomainFacts } from './domain';
import type { SambaForm } from './form';
import { initialise, installScript, noWait } from './service';
import type { Tools } from './tools';

/** What a change of a test account showed: whether the domain takes it, and whether a relay would get it. */
export type Sighting =
  | { readonly state: 'delivered' }
  | { readonly state: 'refused'; readonly says: string }
  | { readonly state: 'missing'; readonly says: string };

export interface Cage {
  readonly tools: Tools;
  readonly domain: Domain;
  readonly facts: DomainFacts;
  readonly form: SambaForm;
  /** Where the script will be: what runs there as a test runs there later. */
  readonly dir: string;
  readonly account: string;
  /** Whether the account is made where there is none. */
  readonly make: boolean;
}

/**
 * Changes the password of a test account, and has samba-tool hand it over by our script, as it will later, to a listener of
 * ours in place of the relay.
 */
export async function sendCanary(cage: Cage): Promise<Sighting> {
  const password = newPassword();
  try {
    const refusal = await cage.domain.change(cage.account, password, cage.make);
    if (refusal !== null) return { state: 'refused', says: refusal };
    return await watch(cage, password);
  } finally {
    password.destroy();
  }
}

/** Of a test account, which is disabled or the operator's to set anew. Of all four kinds of characters, for every policy. */
export const newPassword = (): Secret =>
  Secret.fromText(`Canary-1-${randomBytes(24).toString('base64url')}`);

async function watch(
  { tools, facts, form, dir, account }: Cage,
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
    const cache = path.join(folder, 'cache.ldb');
    const script = installScript(folder, socket);
    const filter = `(&(objectClass=user)(sAMAccountName=${account}))`;
    const sync = { tools, facts, form, script, cache };
    await initialise(sync, filter);
    const said = await noWait(sync);
    if (arrived) return { state: 'delivered' };
    return { state: 'missing', says: said ?? 'samba-tool told no password of it' };
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
