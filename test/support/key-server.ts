import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TransitSettings } from '../../store/worker/keys/transit';
import { startTransitStandIn, type TransitStandIn } from './transit-stand-in';
import { startVault } from './vault';

/** A key server: a stand-in in `npm test`, a real Vault or OpenBao in `npm run check:keystore`. */
export interface KeyServerUnderTest {
  readonly settings: TransitSettings;
  /** The variables of a process that uses it. */
  readonly env: Readonly<Record<string, string>>;
  /** Seals the server, so that it answers nothing but that. */
  seal(): Promise<void>;
  unseal(): Promise<void>;
  stop(): Promise<void>;
}

/** The program of the real server, or `build`; unset for the stand-in. */
const REAL = process.env.LOCKSTEP_CHECK_KEY_SERVER;

export const isReal = REAL !== undefined;

export async function startKeyServer(): Promise<KeyServerUnderTest> {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'lockstep-key-server-'));
  if (REAL !== undefined) return usable(dir, await startVault(dir, REAL));
  const standIn = await startTransitStandIn(dir, 'the-token');
  return usable(dir, sealable(standIn));
}

/** The stand-in answers like a sealed Vault. */
const sealable = (standIn: TransitStandIn) => ({
  ...standIn,
  token: 'the-token',
  seal: async () => standIn.lie({ status: 503, body: '{"errors":["Vault is sealed"]}' }),
  unseal: async () => standIn.lie(null),
});

interface Started extends Pick<KeyServerUnderTest, 'seal' | 'unseal' | 'stop'> {
  readonly url: string;
  readonly key: string;
  readonly caFile: string;
  readonly token: string;
}

function usable(dir: string, { url, key, caFile, token, ...server }: Started): KeyServerUnderTest {
  const tokenFile = path.join(dir, 'token');
  writeFileSync(tokenFile, `${token}\n`, { mode: 0o600 });
  return {
    settings: { url, key, caFile, tokenFile, timeoutMs: 30_000 },
    env: {
      LOCKSTEP_TRANSIT_URL: url,
      LOCKSTEP_TRANSIT_KEY: key,
      LOCKSTEP_TRANSIT_CA_FILE: caFile,
      LOCKSTEP_TRANSIT_TOKEN_FILE: tokenFile,
    },
    seal: server.seal,
    unseal: server.unseal,
    stop: server.stop,
  };
}
