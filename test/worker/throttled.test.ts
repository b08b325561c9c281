import { readSourceStates } from '../../store/sources/state';
import { newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { type ScimVendor, startScimVendor } from '../support/vendors/scim';
import { workerSuite } from '../support/worker-suite';

describeWith(['slapd', 'postgres', 'temporal'], 'a source over HTTPS', () => {
  const suite = workerSuite();
  let vendor: ScimVendor;

  beforeAll(async () => {
    vendor = await startScimVendor('path');
    const settings = {
      url: `https://localhost:${vendor.address.port}/scim/v2`,
      ca: vendor.caFile,
      token: '${env:TEST_SCIM}',
      allowPrivateAddresses: ['localhost'],
      timeoutMs: 1_000,
    };
    const { directory } = suite.company.sources();
    await suite.lockstep.configure({
      version: 1,
      sources: { directory: { ...directory }, saas: { kind: 'scim', settings } },
      policies: { everyone: {} },
      groups: {
        all: { policy: 'everyone', authSource: 'directory', sources: ['directory', 'saas'] },
      },
    });
  });
  afterAll(async () => {
    expect(vendor.offences).toEqual([]);
    await vendor.stop();
  });

  async function addPerson() {
    const account = await suite.company.addAccount('directory');
    const user = vendor.addUser(`person-${vendor.users.size}`, newPassword());
    const person = await suite.lockstep.addPerson([
      account,
      { source: 'saas', name: user.userName },
    ]);
    const holds = (password: string) => vendor.passwords.get(String(user.id)) === password;
    return { person, holds };
  }
  const saasOf = (id: string) =>
    suite.lockstep
      .read(id)
      .then(({ accounts }) => accounts.find(({ source }) => source === 'saas'));

  test('an account that cannot be verified is applied without proof', async () => {
    const { person, holds } = await addPerson();
    const password = newPassword();
    const change = await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password }));
    expect(change.state).toBe('done');
    expect(await saasOf(change.id)).toMatchObject({
      state: 'applied',
      reason: null,
      proof: 'none',
    });
    expect(holds(password)).toBe(true);
  });

  test('a write whose reply is lost is repeated once and the change is done', async () => {
    const { person, holds } = await addPerson();
    const password = newPassword();
    vendor.goWrong((answer) => {
      void answer();
      return 'cut';
    });
    const change = await suite.lockstep.readEnd(await suite.lockstep.accept({ person, password }));
    expect(change.state).toBe('done');
    expect(await saasOf(change.id)).toMatchObject({ state: 'applied', attempts: 2 });
    expect(holds(password)).toBe(true);
  });

  test('a throttled source is not asked again before its Retry-After has passed', async () => {
    const RETRY_AFTER_MS = 15_000;
    const [first, second] = [await addPerson(), await addPerson()];
    vendor.goWrong(() => ({
      status: 429,
      headers: { 'retry-after': String(RETRY_AFTER_MS / 1000) },
    }));
    const start = Date.now();
    const requests = () => vendor.seen.filter((request) => request.startsWith('PATCH')).length;
    const before = requests();
    const throttled = await suite.lockstep.accept({
      person: first.person,
      password: newPassword(),
    });
    await until(async () => (await saasOf(throttled))?.state === 'waiting');
    expect(await saasOf(throttled)).toMatchObject({ reason: 'throttled', vendorCode: '429' });
    const state = (await readSourceStates(suite.lockstep.database.db)).get('saas');
    if (state?.state !== 'down') throw new Error(`The source is ${state?.state}`);
    // The schedule alone would have been 5 s; the clock of the database may differ a little.
    expect(state.nextProbeAt.getTime() - start).toBeGreaterThan(RETRY_AFTER_MS - 1_000);
    const held = await suite.lockstep.accept({ person: second.person, password: newPassword() });
    await until(async () => (await saasOf(held))?.state === 'waiting');
    expect(requests()).toBe(before + 1);
    expect((await suite.lockstep.readEnd(throttled)).state).toBe('done');
    expect((await suite.lockstep.readEnd(held)).state).toBe('done');
    expect(Date.now() - start).toBeGreaterThan(RETRY_AFTER_MS - 1_000);
  }, 120_000);
});
