import { sql } from 'kysely';
import { environmentSchema } from '../../config';
import { KEY_STORE_UNAVAILABLE } from '../../model/change/mapping';
import { Secret } from '../../model/passwords/secret';
import { findIdentity } from '../../store/people/identities';
import { deleteMapping, enableMapping, linkMapping } from '../../store/people/mappings';
import { readKeyStoreTrouble } from '../../store/presence';
import { sealCredential, unsealCredential } from '../../store/worker/credentials';
import { openSealedKeys } from '../../store/worker/keys/sealed-keys';
import { openTransit } from '../../store/worker/keys/transit';
import { openMasterSecret } from '../../worker/master-secret';
import { isReal, type KeyServerUnderTest, startKeyServer } from '../support/key-server';
import { holders, newPassword } from '../support/people';
import { keeps } from '../support/rules';
import { describeWith } from '../support/servers';
import { until } from '../support/until';
import { companyDocument, workerSuite } from '../support/worker-suite';

/** Credentials that are rotated, and changes that run in the meantime. */
const [CREDENTIALS, CHANGES] = isReal ? [10_000, 200] : [500, 10];

const MINUTES = 60_000;

describeWith(['slapd', 'postgres', 'temporal'], 'a key server that seals the master keys', () => {
  let server: KeyServerUnderTest;
  beforeAll(async () => {
    server = await startKeyServer();
  }, 60 * MINUTES);
  const suite = workerSuite(
    (company) => ({ ...companyDocument(company), applications: { expenses: { source: 'crm' } } }),
    { masterKeysFor: (db) => openSealedKeys(db, openTransit(server.settings)) },
  );
  afterEach(() => server.unseal());
  afterAll(() => server.stop());

  /** A person with one mapped account, and another one. */
  async function mapped() {
    const { person, accounts } = await suite.addPerson('directory', 'crm');
    const { db } = suite.lockstep.database;
    const identity = await findIdentity(db, { name: person });
    const account = identity?.accounts.find(({ source }) => source === 'crm');
    const link = { identityId: identity?.id ?? '', accountId: account?.id ?? '' };
    await linkMapping(db, { ...link, application: 'expenses', enabled: true }, 'test');
    return { person, accounts, mapping: () => mappingOf(account?.id ?? '') };
  }
  const mappingOf = (accountId: string) =>
    suite.lockstep.database.db
      .selectFrom('mapping')
      .selectAll()
      .where('account_id', '=', accountId)
      .executeTakeFirst();
  type Row = NonNullable<Awaited<ReturnType<typeof mappingOf>>>;
  const credentialIn = async (row: Row | undefined) => {
    const master = await suite.lockstep.keys.masterKey(row?.master_key_id ?? '');
    const sealed = row?.sealed ?? Buffer.alloc(0);
    return unsealCredential(master, row?.id ?? '', Number(row?.applied_seq), sealed).text();
  };

  /** Seals the server, and waits until the worker has noticed. */
  async function sealServer() {
    await server.seal();
    await until(async () => (await trouble()).problems.includes('sealed'));
  }
  const trouble = () => readKeyStoreTrouble(suite.lockstep.database.db);
  const waits = (id: string) =>
    suite.lockstep.readUntil(id, ({ mappings }) =>
      mappings.some(({ reason }) => reason === KEY_STORE_UNAVAILABLE),
    );
  const isSealed = async (id: string) => {
    const { db } = suite.lockstep.database;
    const rows = db.selectFrom('sealed_secret').select('change_id').where('change_id', '=', id);
    return (await rows.execute()).length === 1;
  };

  test(
    keeps(
      'a change whose credential cannot be sealed waits with its sealed password, and ends later',
      30,
    ),
    async () => {
      const { person, accounts, mapping } = await mapped();
      await sealServer();
      const word = newPassword();
      const id = await suite.lockstep.accept({ person, password: word });
      expect(await waits(id)).toMatchObject({ endedAt: null });
      expect(await holders(accounts, word)).toEqual([true, true]);
      expect(await mapping()).toMatchObject({ sealed: null, state: 'out_of_sync' });
      expect(await isSealed(id)).toBe(true);
      const { person: other } = await suite.addPerson('directory', 'crm');
      const unmapped = await suite.lockstep.accept({ person: other, password: newPassword() });
      expect(await suite.lockstep.readEnd(unmapped)).toMatchObject({ state: 'done' });
      await server.unseal();
      expect(await suite.lockstep.readEnd(id)).toMatchObject({ state: 'done' });
      expect(await mapping()).toMatchObject({ state: 'in_sync', reason: null });
      expect(await credentialIn(await mapping())).toBe(word);
      await until(async () => (await trouble()).problems.length === 0);
    },
    2 * MINUTES,
  );

  test(
    keeps('a mapping that is disabled or removed while its change waits gets no credential', 32),
    async () => {
      const { db } = suite.lockstep.database;
      const [disabled, removed] = [await mapped(), await mapped()];
      await sealServer();
      const ids = [];
      for (const { person } of [disabled, removed])
        ids.push(await suite.lockstep.accept({ person, password: newPassword() }));
      for (const id of ids) await waits(id);
      for (const { mapping } of [disabled, removed])
        await enableMapping(db, (await mapping())?.id ?? '', false, 'test');
      await deleteMapping(db, (await removed.mapping())?.id ?? '', 'test');
      await server.unseal();
      for (const id of ids)
        expect(await suite.lockstep.readEnd(id)).toMatchObject({ state: 'done' });
      expect(await disabled.mapping()).toMatchObject({ sealed: null, reason: 'mapping_disabled' });
      expect(await removed.mapping()).toBeUndefined();
    },
    2 * MINUTES,
  );

  /** Stores credentials of accounts that no change writes. */
  async function store(count: number): Promise<void> {
    const { db } = suite.lockstep.database;
    const master = await suite.lockstep.keys.currentMasterKey();
    await sql`insert into identity (id, name) values ('idn_1', 'ada')`.execute(db);
    await sql`insert into account (id, identity_id, source, name, name_key, linked_by)
      select 'acc_' || n, 'idn_1', 'apps', 'ada' || n, 'ada' || n, 'test'
      from generate_series(1, ${count}::int) n`.execute(db);
    const ids = Array.from({ length: count }, (_, index) => `map_${index + 1}`);
    const sealed = ids.map((id) => sealCredential(master, id, 1, Secret.fromText(`word of ${id}`)));
    await sql`insert into mapping (id, identity_id, account_id, application, enabled, sealed, master_key_id,
                                   applied_seq, state)
      select n.id, 'idn_1', 'acc_' || substr(n.id, 5), 'wiki', true, n.sealed, ${master.id}, 1, 'in_sync'
      from unnest(${ids}::text[], ${sealed}::bytea[]) as n (id, sealed)`.execute(db);
  }

  test(
    `${CREDENTIALS} credentials are rotated while ${CHANGES} changes run, without a failure`,
    async () => {
      const { database, keyDir } = suite.lockstep;
      await store(CREDENTIALS);
      const people = await Promise.all(Array.from({ length: 10 }, mapped));
      const settings = environmentSchema.parse(server.env);
      const secret = openMasterSecret(settings, keyDir, database.url);
      let changed = 0;
      const changing = changeAll(people, CHANGES / people.length, () => changed++);
      await until(async () => changed > 0);
      const current = await secret.generate();
      const begin = performance.now();
      const { resealed, unreadable } = await secret.rotate(() => {});
      const seconds = (performance.now() - begin) / 1000;
      await changing;
      process.stderr.write(
        `${resealed} credentials rotated in ${seconds.toFixed(1)} s while ${CHANGES} changes ran\n`,
      );
      expect(unreadable).toBe(0);
      expect(resealed).toBeGreaterThanOrEqual(CREDENTIALS);
      const left = database.db.selectFrom('mapping').select('id').where('sealed', 'is not', null);
      expect(await left.where('master_key_id', '<>', current).execute()).toEqual([]);
      expect(await credentialIn(await mappingOf('acc_7'))).toBe('word of map_7');
      for (const { mapping } of people) expect(await mapping()).toMatchObject({ state: 'in_sync' });
      await secret.close();
    },
    20 * MINUTES,
  );

  /** Changes each person's password several times, one after another, and expects that every account gets it. */
  async function changeAll(
    people: readonly Awaited<ReturnType<typeof mapped>>[],
    times: number,
    onChanged: () => void,
  ): Promise<void> {
    await Promise.all(
      people.map(async ({ person, mapping }) => {
        for (let turn = 0; turn < times; turn++) {
          const word = newPassword();
          const id = await suite.lockstep.accept({ person, password: word });
          expect(await suite.lockstep.readEnd(id)).toMatchObject({ state: 'done' });
          expect(await credentialIn(await mapping())).toBe(word);
          onChanged();
        }
      }),
    );
  }
});
