import { CLAIM_AT_FIRST, type ClaimedAccount, WRITE_WITHIN_MS } from '../../store/worker/claims';

/** Accounts that one statement has claimed. */
export interface Batch {
  readonly accounts: readonly ClaimedAccount[];
  /** False once the leases may be too short for another write. */
  readonly claimIsFresh: () => boolean;
  /** True when no further account is left to claim. */
  readonly isLast: boolean;
}

interface Claims {
  /** Claims at most `most` accounts after a position of the plan. */
  readonly claim: (after: number, most: number) => Promise<ClaimedAccount[]>;
  /** Puts the accounts to wait for their source, except `visited`. False when the source is up again. */
  readonly hold: (visited: readonly string[]) => Promise<boolean>;
}

/** A claim that was sent. */
interface Claiming {
  readonly claiming: Promise<ClaimedAccount[]>;
  readonly wanted: number;
  readonly claimIsFresh: () => boolean;
}

/** Largest number of accounts in one claim. */
const CLAIM_AT_MOST = 400;
/** A batch that is written within this time shows that twice as many are written well within their leases. */
const FAST_MS = 2_000;

/**
 * Claims the accounts of a pass in batches, each while the batch before it is written. Batches grow while they are
 * written fast. Ends early when the source is down or paused and the accounts wait.
 */
export async function* claimInBatches({ claim, hold }: Claims): AsyncGenerator<Batch> {
  const visited: string[] = [];
  let last = -1;
  let most = CLAIM_AT_FIRST;
  const begin = (): Claiming => {
    const wanted = most;
    const writeUntil = performance.now() + WRITE_WITHIN_MS;
    const claiming = claim(last, wanted);
    // Its error is thrown where the batch is awaited, which may be after the batch before it.
    claiming.catch(() => {});
    return { claiming, wanted, claimIsFresh: () => performance.now() < writeUntil };
  };
  let next: Claiming | null = begin();
  while (next !== null) {
    const { claiming, wanted, claimIsFresh }: Claiming = next;
    const accounts: ClaimedAccount[] = await claiming;
    if (accounts.some(({ held }) => held)) {
      if (await hold(visited)) return;
      next = begin();
      continue;
    }
    visited.push(...accounts.map(({ label }) => label));
    last = accounts.reduce((highest, { position }) => Math.max(highest, position), last);
    // A probe claims one account only; the accounts that waited for its answer come next, after it.
    const isProbe = accounts.some(({ probe }) => probe !== null);
    next = accounts.length === wanted && !isProbe ? begin() : null;
    const began = performance.now();
    yield { accounts, claimIsFresh, isLast: next === null && !isProbe };
    const isFast = performance.now() - began < FAST_MS;
    most = isFast ? Math.min(2 * wanted, CLAIM_AT_MOST) : CLAIM_AT_FIRST;
    if (isProbe) next = begin();
  }
}
