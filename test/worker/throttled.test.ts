import type { Temporal } from '../../local/temporal';
import { readSourceStates } from '../../store/sources/state';
import { type Company, startCompany } from '../support/company';
import { startEngine } from '../support/engine';
import { brokenInvariants } from '../support/invariants';
import { type Lockstep, startLockstep } from '../support/lockstep';
import { newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { type ScimVendor, startScimVendor } from '../support/vendors/scim';

describeWith(['slapd', 'postgres', 'temporal'], 'a source over HTTPS', () => {
  let engine: Temporal;
  let company: Company;
  let lockstep: Lockstep;
  let vendor: ScimVendor;

  beforeAll(async () => {
    [company, engine, vendor] = await Promise.all([
      startCompany(),
      startEngine(),
      startScimVendor('path'),
    ]);
    lockstep = await startLockstep(engine);
    const settings = {
      url: `https://localhost:${vendor.address.port}/scim/v2`,
      ca: vendor.caFile,
      token: '${env:TEST_SCIM}',
      allowPrivateAddresses: ['localhost'],
      timeoutMs: 1_000,
    };
    const { directory } = company.sources();
    await lockstep.configure({
      version: 1,
      sources: { directory: { ...directory }, saas: { kind: 'scim', settings } },
      policies: { everyone: {} },
      groups: {
        all: { policy: 'everyone', authSource: 'directory', sources: ['directory', 'saas'] },
      },
    });
    lockstep.startWorker();
  });
  afterAll(async () => {
    expect(vendor.offences).toEqual([]);
    expect(await brokenInvariants(lockstep.database.db)).toEqual({});
    await lockstep.stop();
    await engine.stop();
    await company.stop();
    await vendor.stop();
  });

  async function somebody() {
    const account = await company.addAccount('directory');
    const user = vendor.addUser(`person-${vendor.users.size}`, newPassword());
    const person = await lockstep.addPerson([account, { source: 'saas', name: user.userName }]);
    const holds = (password: string) => vendor.passwords.get(user.id) === password;
    return { person, holds };
  }
  const saasOf = (id: string) =>
    lockstep.read(id).then(({ accounts }) => accounts.find(({ source }) => source === 'saas'));

  test('is written, and believed without a word', async () => {
    const { person, holds } = await somebody();
    const password = newPassword();
    const change = await lockstep.readEnd(await lockstep.accept({ person, password }));
    expect(change.state).toBe('done');
    expect(await saasOf(change.id)).toMatchObject({
      state: 'applied',
      reason: null,
      proof: 'none',
    });
    expect(holds(password)).toBe(true);
  });

  test('the reply to a write is lost: it is written once more, and the change is done', async () => {
    const { person, holds } = await somebody();
    const password = newPassword();
    vendor.goWrong((answer) => {
      void answer();
      return 'cut';
    });
    const change = await lockstep.readEnd(await lockstep.accept({ person, password }));
    expect(change.state).toBe('done');
    expect(await saasOf(change.id)).toMatchObject({ state: 'applied', attempts: 2 });
    expect(holds(password)).toBe(true);
  });

  test('says when it may be asked again: nobody asks it before', async () => {
    const RETRY_AFTER_MS = 15_000;
    const [first, second] = [await somebody(), await somebody()];
    vendor.goWrong(() => ({
      status: 429,
      headers: { 'retry-after': String(RETRY_AFTER_MS / 1000) },
    }));
    const start = Date.now();
    const asked = () => vendor.seen.filter((request) => request.startsWith('PATCH')).length;
    const before = asked();
    const one = await lockstep.accept({ person: first.person, password: newPassword() });
    await until(async () => (await saasOf(one))?.state === 'waiting');
    expect(await saasOf(one)).toMatchObject({ reason: 'throttled', vendorCode: '429' });
    const state = (await readSourceStates(lockstep.database.db)).get('saas');
    if (state?.state !== 'down') throw new Error(`The source is ${state?.state}`);
    // The schedule alone would have been 5 s; the clock of the database may differ a little.
    expect(state.nextProbeAt.getTime() - start).toBeGreaterThan(RETRY_AFTER_MS - 1_000);
    const two = await lockstep.accept({ person: second.person, password: newPassword() });
    await until(async () => (await saasOf(two))?.state === 'waiting');
    expect(asked()).toBe(before + 1);
    expect((await lockstep.readEnd(one)).state).toBe('done');
    expect((await lockstep.readEnd(two)).state).toBe('done');
    expect(Date.now() - start).toBeGreaterThan(RETRY_AFTER_MS - 1_000);
  }, 120_000);
});
