/** Failed attempts that one address may make in ten minutes. The guard of each account is stricter, and counts by account. */
const MOST = 30;
const WINDOW_MS = 600_000;
/** More addresses than this are not remembered: the oldest are forgotten. */
const MOST_ADDRESSES = 10_000;

/** Counts failed attempts by address, in this process, so that one address cannot try one password at every account. */
export interface Attempts {
  isBlocked(address: string): boolean;
  failed(address: string): void;
}

export function countAttempts(now: () => number = () => performance.now()): Attempts {
  const byAddress = new Map<string, number[]>();
  const recent = (address: string): number[] =>
    (byAddress.get(address) ?? []).filter((at) => now() - at < WINDOW_MS);
  return {
    isBlocked: (address) => recent(address).length >= MOST,
    failed(address) {
      const attempts = [...recent(address), now()];
      byAddress.delete(address);
      byAddress.set(address, attempts);
      const [oldest] = byAddress.keys();
      if (byAddress.size > MOST_ADDRESSES && oldest !== undefined) byAddress.delete(oldest);
    },
  };
}
