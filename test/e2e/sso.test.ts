import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { type SampleAdapter, startSample } from '../support/adapters';
import { holdRows } from '../support/hold';
import { brokenInvariants } from '../support/invariants';
import { newPassword } from '../support/people';
import { describeWith } from '../support/servers';
import { type SsoBench, type SsoPerson, startSsoBench } from '../support/sso/bench';
import { covered, type External, externals } from '../support/sso/company';
import { until } from '../support/until';

const MINUTES = 60_000;
const missing = [
  ...(covered.length < externals.length ? ['only npm run check:sso runs it'] : []),
  ...(spawnSync('gpg', ['--version']).status === 0 ? [] : ['no gpg']),
];

/** The way of a password in each direction: where it is changed, and what it reaches. */
const flows = ['Windows to external', 'external to Windows, full', 'partial', 'direct'] as const;
type Flow = (typeof flows)[number];

if (missing.length > 0)
  test.skip(`single sign-on with real captures (skipped: ${missing.join(', ')})`, () => {});
else
  describeWith(
    ['samba', 'mariadb', 'slapd', 'postgres', 'temporal'],
    'single sign-on with real captures',
    () => {
      let bench: SsoBench;

      beforeAll(async () => {
        bench = await startSsoBench();
      }, 4 * MINUTES);
      afterEach(async () => {
        expect(await brokenInvariants(bench.stack.database.db)).toEqual({});
      });
      afterAll(() => bench?.stop());

      const configure = (flow: Flow, system: External) =>
        flow === 'direct'
          ? bench.configure({}, system)
          : bench.configure({ changeWindowsPassword: flow === 'external to Windows, full' });
      /** Changes a password where the flow begins. The reader of the domain or the adapter reports it. */
      async function begin(flow: Flow, { domain, external }: SsoPerson, word: string) {
        const fromDomain = flow === 'Windows to external' || flow === 'direct';
        await (fromDomain ? domain : external).changeThere(word);
        if (!fromDomain) expect(await bench.capture(external, word)).toMatchObject({ status: 202 });
      }
      /** Expects that the accounts which the flow reaches hold the password, the others do not, and that it is stored. */
      async function expectReached(flow: Flow, one: SsoPerson, word: string) {
        expect(await one.domain.logsIn(word)).toBe(flow !== 'partial');
        expect(await one.external.logsIn(word)).toBe(flow !== 'direct');
        expect(await bench.stored(one)).toEqual([word, 'in_sync']);
      }

      describe.each(externals)('%s', (system) => {
        test.each(flows)('a changed password reaches what it has to reach: %s', async (flow) => {
          await configure(flow, system);
          const one = await bench.newPerson(system);
          const word = newPassword();
          await begin(flow, one, word);
          expect(await bench.ended(one.person, 1)).toEqual(['done']);
          await expectReached(flow, one, word);
        });

        test.each(flows)(
          'kill -9 of the worker before the credential is stored loses nothing and writes nothing twice: %s',
          async (flow) => {
            await configure(flow, system);
            const one = await bench.newPerson(system);
            const rows = await holdRows(
              bench.stack.database.url,
              'select from mapping where identity_id = (select id from identity where name = $1)',
              [one.person],
            );
            const word = newPassword();
            await begin(flow, one, word);
            await rows.awaited();
            await bench.stack.worker.kill();
            await rows.release();
            await bench.stack.worker.back();
            expect(await bench.ended(one.person, 1)).toEqual(['done']);
            await expectReached(flow, one, word);
            if (system === 'loop')
              expect(bench.sso.loop.writesTo(one.external)).toBe(
                flow === 'Windows to external' ? 1 : 0,
              );
          },
          2 * MINUTES,
        );
      });

      test(
        'the acknowledgement of an adapter that comes while the worker is killed is the outcome of the account',
        async () => {
          await configure('Windows to external', 'loop');
          const { loop } = bench.sso;
          const one = await bench.newPerson('loop');
          await loop.connect(false);
          await loop.adapter.call('initialise');
          const word = newPassword();
          await one.domain.changeThere(word);
          const [received] = await loop.adapter.receive();
          await bench.stack.worker.kill();
          await one.external.changeThere(word);
          await loop.adapter.complete(received?.trackingId ?? '', 'applied');
          await bench.stack.worker.back();
          expect(await bench.ended(one.person, 1)).toEqual(['done']);
          expect(await bench.stored(one)).toEqual([word, 'in_sync']);
          expect((await loop.adapter.call('receive', { waitSeconds: 0 })).body.messages).toEqual(
            [],
          );
          await loop.connect(true);
        },
        2 * MINUTES,
      );

      test(
        'while the database is away, changes are kept by the sender or answered with 503, and take effect in order later',
        async () => {
          await configure('external to Windows, full', 'table');
          const { stack, sso } = bench;
          const [windows, table, mixed, looped] = [
            await bench.newPerson('warehouse'),
            await bench.newPerson('table'),
            await bench.newPerson('apps'),
            await bench.newPerson('loop'),
          ];
          await sso.loop.connect(false);
          await stack.postgres.kill();
          const [first, second] = [newPassword(), newPassword()];
          for (const word of [first, second]) {
            const before = spooled();
            await windows.domain.changeThere(word);
            await until(() => spooled() > before);
          }
          const asked = new Date();
          for (const { external } of [table, mixed]) {
            await external.changeThere(first);
            expect(await bench.capture(external, first, asked)).toMatchObject({
              status: 503,
              body: { code: 'database_away' },
            });
          }
          await mixed.domain.changeThere(second);
          await stack.postgres.back();
          const sample = await sendBySample(looped, second);
          await until(
            async () => (await bench.capture(table.external, first, asked)).status === 202,
          );
          expect((await bench.ended(windows.person, 2)).at(-1)).toBe('done');
          expect(await bench.ended(table.person, 1)).toEqual(['done']);
          expect(await bench.ended(mixed.person, 1)).toEqual(['done']);
          // The sender repeats its capture, which is older than the change of the domain.
          expect(await bench.capture(mixed.external, first, asked)).toMatchObject({
            body: { result: 'stale' },
          });
          for (const [one, word] of [
            [windows, second],
            [table, first],
            [mixed, second],
          ] as const)
            await expectReached('external to Windows, full', one, word);
          expect(await bench.ended(looped.person, 1)).toEqual(['done']);
          expect(await looped.domain.logsIn(second)).toBe(true);
          await sample.stop();
          await sso.loop.connect(true);
        },
        4 * MINUTES,
      );

      test(
        'while the database is away, passwords of adapters are answered with 503, and the newest is stored later: partial',
        async () => {
          await configure('partial', 'table');
          const { stack } = bench;
          const [older, newer] = [newPassword(), newPassword()];
          const people = new Map<External, SsoPerson>();
          for (const system of externals) people.set(system, await bench.newPerson(system));
          await stack.postgres.kill();
          const times = [new Date(), new Date()] as const;
          times[1].setMilliseconds(times[1].getMilliseconds() + 1);
          for (const { external } of people.values())
            for (const [index, word] of [older, newer].entries()) {
              await external.changeThere(word);
              expect(await bench.capture(external, word, times[index])).toMatchObject({
                status: 503,
                body: { code: 'database_away' },
              });
            }
          await stack.postgres.back();
          for (const [system, one] of people) {
            // Each sender repeats its reports, that of the MariaDB table the newer one first.
            const reports = [older, newer].map((word, index) => ({ word, at: times[index] }));
            if (system === 'table') reports.reverse();
            for (const { word, at } of reports) await reportUntilAnswered(one, word, at);
            const changes = await bench.ended(one.person, system === 'table' ? 1 : 2);
            expect(changes.at(-1)).toBe('done');
            await expectReached('partial', one, newer);
          }
        },
        4 * MINUTES,
      );

      test(
        'while the database is away, passwords of the domain are kept by the relay, and stored in order later: direct',
        async () => {
          await configure('direct', 'table');
          const { stack } = bench;
          const [captured, asked] = [
            await bench.newPerson('table'),
            await bench.newPerson('table'),
          ];
          await stack.postgres.kill();
          const [first, second] = [newPassword(), newPassword()];
          for (const word of [first, second]) {
            const before = spooled();
            await captured.domain.changeThere(word);
            await until(() => spooled() > before);
          }
          const change = { identity: asked.person, password: first };
          const headers = { 'idempotency-key': asked.person };
          expect(await stack.call('POST', 'changes', change, headers)).toMatchObject({
            status: 503,
            body: { code: 'database_away' },
          });
          await stack.postgres.back();
          await until(
            async () => (await stack.call('POST', 'changes', change, headers)).status === 202,
          );
          expect((await bench.ended(captured.person, 2)).at(-1)).toBe('done');
          expect(await bench.ended(asked.person, 1)).toEqual(['done']);
          await expectReached('direct', captured, second);
          await expectReached('direct', asked, first);
        },
        4 * MINUTES,
      );

      /** Repeats a report of an external system until the API answers it, as a sender does. */
      const reportUntilAnswered = ({ external }: SsoPerson, word: string, at?: Date) =>
        until(async () => (await bench.capture(external, word, at)).status < 500);

      /** The bytes that the relay of the domain keeps. */
      const spooled = (): number =>
        readdirSync(bench.relay.spool)
          .map((name) => statSync(path.join(bench.relay.spool, name)).size)
          .reduce((sum, size) => sum + size, 0);

      /** Lets the loopback sample of the documentation report a change. */
      const sendBySample = ({ external }: SsoPerson, stdin: string): Promise<SampleAdapter> =>
        startSample(bench.api, {
          ...{ file: 'loopback_adapter.py', source: 'loop', more: [external.name], stdin },
        });
    },
  );
