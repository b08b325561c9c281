import { type Batch, claimInBatches } from '../../../activities/attempt/claim-in-batches';
import type { ClaimedAccount } from '../../../store/worker/claims';

/** A source with this many accounts, of which a claim returns the next ones. */
function accounts(count: number, more: Partial<ClaimedAccount> = {}) {
  const claims: { after: number; most: number }[] = [];
  const held: (readonly string[])[] = [];
  const batches = claimInBatches({
    async claim(after, most) {
      claims.push({ after, most });
      const positions = Array.from({ length: count }, (_, index) => index);
      return positions
        .filter((position) => position > after)
        .slice(0, more.probe === 1 && claims.length === 1 ? 1 : most)
        .map((position) => ({
          ...({ probe: null, held: false, ...more } as ClaimedAccount),
          ...(claims.length > 1 && { probe: null }),
          label: `apps:${position}`,
          position,
        }));
    },
    async hold(visited) {
      held.push(visited);
      return true;
    },
  });
  return { batches, claims, held };
}
const sizesOf = async (batches: AsyncIterable<Batch>) => {
  const sizes: string[] = [];
  for await (const batch of batches)
    sizes.push(`${batch.accounts.length}${batch.isLast ? ' last' : ''}`);
  return sizes;
};

describe('claiming in batches', () => {
  test('batches that are written fast grow, and every account is claimed once', async () => {
    const { batches, claims } = accounts(1000);
    expect(await sizesOf(batches)).toEqual(['50', '50', '100', '100', '200', '200', '300 last']);
    expect(claims.map(({ after }) => after)).toEqual([-1, 49, 99, 199, 299, 499, 699]);
  });

  test('the next batch is claimed before the batch at hand is written', async () => {
    const { batches, claims } = accounts(60);
    await batches.next();
    expect(claims).toHaveLength(2);
  });

  test('after a slow batch only a few accounts are claimed again, so that none outlives its lease', async () => {
    const { batches, claims } = accounts(1000);
    let time = 0;
    const now = jest.spyOn(performance, 'now').mockImplementation(() => time);
    for await (const _ of batches) time += 10_000;
    now.mockRestore();
    expect(Math.max(...claims.map(({ most }) => most))).toBe(50);
  });

  test('the accounts that wait for a probe are claimed when the probe has its answer', async () => {
    const { batches, claims } = accounts(3, { probe: 1 });
    await batches.next();
    expect(claims).toHaveLength(1);
    expect(await sizesOf(batches)).toEqual(['2 last']);
  });

  test('no account is claimed while the source is down', async () => {
    const { batches, held } = accounts(3, { held: true });
    expect(await sizesOf(batches)).toEqual([]);
    expect(held).toEqual([[]]);
  });
});
