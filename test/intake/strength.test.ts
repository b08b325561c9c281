import { openStrengthEstimator, type StrengthTimes } from '../../intake/policy/strength';
import { Secret } from '../../model/passwords/secret';

const generous: StrengthTimes = { deadlineMs: 30_000, startMs: 60_000, quietMs: 60_000 };
const LONGEST = 'p@55w0rd!1l0v3y0u'.repeat(8);

describe('an estimate of strength', () => {
  let estimator: ReturnType<typeof openStrengthEstimator>;
  const open = (times: Partial<StrengthTimes> = {}) => {
    estimator = openStrengthEstimator({ ...generous, ...times });
    return (password: string) => estimator.estimate(Secret.fromText(password));
  };
  afterEach(() => estimator.close());

  test('an estimate distinguishes a password that is guessed at once from a strong one', async () => {
    const estimate = open();
    const strengths = ['password1', 'P@ssw0rd123', 'zw!kQ8xqjvmw', 'correct horse battery staple'];
    expect(await Promise.all(strengths.map(estimate))).toEqual([0, 1, 4, 4]);
  });

  test('an estimate does not block the event loop', async () => {
    const estimate = open();
    await estimate('warm');
    let turns = 0;
    const turning = setInterval(() => turns++, 1);
    await estimate(LONGEST);
    clearInterval(turning);
    expect(turns).toBeGreaterThan(2);
  });

  test('an estimate that takes too long is skipped', async () => {
    const estimate = open({ deadlineMs: 1 });
    expect(await estimate(LONGEST)).toBeNull();
  });

  test('an estimate whose thread does not start in time is skipped', async () => {
    const estimate = open({ startMs: 1 });
    expect(await estimate('password1')).toBeNull();
  });
});
