import { randomBytes } from 'node:crypto';
import { startPolling } from '../../capture/polling/loop';
import type { Startpoint } from '../../model/captures/startpoint';
import { type Application, RELAY_PASSWORD } from '../support/application';
import {
  checkpointAt,
  inPairs,
  look,
  outboxBench,
  outboxEngines,
  type ReadChange,
  readAll,
  readPairs,
} from '../support/outbox';
import { startProxy } from '../support/proxy';
import { describeWith, server } from '../support/servers';
import { until } from '../support/until';

describe.each(outboxEngines)('an outbox on %s', (engine, serverName) => {
  describeWith([serverName], 'on a real server', () => {
    const { application, connect, captured, open } = outboxBench(engine);

    test('a poller reads each new value once, in the order of its account, starting with the first', async () => {
      const { setup, setFor, add } = await captured();
      const poller = await open(setup);
      const began = Date.now();
      await add('alice', 'a1');
      await add('bob', 'b1');
      await setFor('alice', 'a2');
      await setFor('bob', 'b2');
      await setFor('alice', 'a1');
      const changes = await readAll(poller);
      expect(inPairs(changes)).toEqual([
        ['alice', 'a1'],
        ['bob', 'b1'],
        ['alice', 'a2'],
        ['bob', 'b2'],
        ['alice', 'a1'],
      ]);
      expect(new Set(changes.map(({ sequence }) => sequence)).size).toBe(5);
      for (const { at, hashed, sequence } of changes) {
        expect(hashed).toBe(true);
        expect(at).toBeGreaterThanOrEqual(began - 1);
        expect(at).toBeLessThanOrEqual(Date.now() + 1);
        expect(sequence).toMatch(/^[!-~]{1,255}$/);
      }
      expect(await readAll(poller)).toEqual([]);
    });

    test('an unchanged or empty value is not captured, but a change of case or of blanks is', async () => {
      const { name, setup, session, setFor, add } = await captured();
      const poller = await open(setup, { holds: 'plaintext' });
      await add('alice', null);
      await setFor('alice', '');
      await setFor('alice', 'secret');
      await setFor('alice', 'secret');
      await session.run(`update ${name} set note = 'new'`);
      await setFor('alice', null);
      await setFor('alice', 'Secret');
      await setFor('alice', 'Secret ');
      await session.run(`delete from ${name}`);
      const changes = await readAll(poller);
      expect(inPairs(changes)).toEqual([
        ['alice', 'secret'],
        ['alice', 'Secret'],
        ['alice', 'Secret '],
      ]);
      expect(changes.some(({ hashed }) => hashed)).toBe(false);
    });

    test('a transaction that was rolled back is not captured', async () => {
      const { setup, session, setFor, add } = await captured();
      await session.run('start transaction');
      await add('alice', 'never');
      await session.run('rollback');
      await add('alice', 'a1');
      await session.run('start transaction');
      await setFor('alice', 'nor this');
      await session.run('rollback');
      expect(await readPairs(await open(setup))).toEqual([['alice', 'a1']]);
    });

    test('a transaction that begins before another and ends after it is not skipped', async () => {
      const { setup, session, setFor, add } = await captured();
      const poller = await open(setup);
      const other = await connect();
      await add('alice', 'a1');
      await add('bob', 'b1');
      await readAll(poller);
      await session.run('start transaction');
      await setFor('alice', 'a2');
      await setFor('bob', 'b2', other);
      const { page, changes } = await look(poller);
      expect(inPairs(changes)).toEqual([['bob', 'b2']]);
      await session.run('commit');
      await poller.acknowledge(page);
      expect(await readPairs(poller)).toEqual([['alice', 'a2']]);
    });

    test('changes of two transactions that wait for each other are read in the order in which they took effect', async () => {
      const { setup, session, setFor, add } = await captured();
      const poller = await open(setup);
      const other = await connect();
      await add('alice', 'a1');
      // Neither the start of a transaction nor that of a statement decides the order.
      await other.run('start transaction');
      await laterThan(Date.now());
      await session.run('start transaction');
      await setFor('alice', 'first');
      let done = false;
      const waiting = setFor('alice', 'last', other).then(() => {
        done = true;
      });
      await until(() => aStatementWaits(application()));
      await laterThan(Date.now());
      await setFor('alice', 'second');
      expect(done).toBe(false);
      await session.run('commit');
      await waiting;
      await other.run('commit');
      const changes = await readAll(poller);
      expect(changes.map(({ value }) => value)).toEqual(['a1', 'first', 'second', 'last']);
      expect(changes.map(({ at }) => at)).toEqual(
        changes.map(({ at }) => at).sort((a, b) => a - b),
      );
    });

    test('changes that were not acknowledged are read again with the same sequence', async () => {
      const { setup, setFor, add } = await captured();
      await add('alice', 'a1');
      await setFor('alice', 'a2');
      const killed = await open(setup);
      const { changes } = await look(killed);
      await killed.close();
      await setFor('alice', 'a3');
      const next = await open(setup);
      const again = await readAll(next);
      expect(again.slice(0, 2)).toEqual(changes);
      expect(again.map(({ value }) => value)).toEqual(['a1', 'a2', 'a3']);
    });

    test('a poller continues from any startpoint, page by page', async () => {
      const { kept, setup, setFor, add } = await captured();
      const poller = await open(setup);
      await add('alice', 'a0');
      for (let n = 1; n < 450; n++) await setFor('alice', `a${n}`);
      const all = await readAll(poller);
      expect(all.map(({ value }) => value)).toEqual(all.map((_, n) => `a${n}`));
      expect(all).toHaveLength(450);
      const from = async (startpoint: Startpoint) => {
        await poller.moveTo(startpoint);
        return (await readAll(poller)).map(({ sequence }) => sequence);
      };
      const following = (index: number) => all.slice(index).map(({ sequence }) => sequence);
      const { sequence = '', at = 0 } = all[100] ?? {};
      expect(await from({ from: 'begin' })).toEqual(following(0));
      expect(await from({ from: 'cursor', cursor: sequence })).toEqual(following(101));
      expect(await from({ from: 'cursor', cursor: sequence.split('-')[0] ?? '' })).toEqual(
        following(101),
      );
      const then = all.findIndex((one) => one.at >= at);
      expect(await from({ from: 'time', at: new Date(at) })).toEqual(following(then));
      await setFor('alice', 'not yet read');
      expect(await from({ from: 'end' })).toEqual([]);
      await setFor('alice', 'after the end');
      expect(await readPairs(poller)).toEqual([['alice', 'after the end']]);
      // A startpoint also skips changes that were never read.
      await setFor('alice', 'left out');
      const [last] = await application().ask(`select max(id) as id from ${kept}`);
      expect(await from({ from: 'cursor', cursor: String(last?.id) })).toEqual([]);
    });

    test.each(['99999', '1-1', 'yesterday', '9'.repeat(30), "1' or '1'='1"])(
      'an outbox rejects the unknown cursor %s and keeps its position',
      async (cursor) => {
        const { setup, add } = await captured();
        const poller = await open(setup);
        await add('alice', 'a1');
        const moved = poller.moveTo({ from: 'cursor', cursor });
        await expect(moved).rejects.toMatchObject({ code: 'startpoint_unknown' });
        expect(await readPairs(poller)).toEqual([['alice', 'a1']]);
      },
    );

    test('an outbox keeps changes that were read for some days, and unread ones without limit', async () => {
      const { kept, setup, setFor, add } = await captured();
      const poller = await open(setup);
      const days = (count: number) =>
        application().script(
          engine === 'postgres'
            ? `update ${kept} set taken_at = taken_at - interval '${count} days', changed_at = changed_at - interval '${count} days'`
            : `update ${kept} set taken_at = taken_at - interval ${count} day, changed_at = changed_at - interval ${count} day`,
        );
      const count = async () => (await application().ask(`select id from ${kept}`)).length;
      await add('alice', 'a1');
      await readAll(poller);
      await days(2);
      await setFor('alice', 'a2');
      expect((await look(poller)).changes).toHaveLength(1);
      await days(4);
      expect(await count()).toBe(2);
      expect(await readPairs(poller)).toEqual([['alice', 'a2']]);
      expect(await count()).toBe(1);
      const hasty = await open(setup, { keepDays: 0 });
      await readAll(hasty);
      expect(await count()).toBe(0);
    });

    test('an outbox carries 256 characters of quotes, line ends and emoji byte for byte', async () => {
      const { setup, add } = await captured();
      const value = [...`it's "quoted" \\ %s ? $1 \r\n\t🐦 пароль ä`.repeat(8)]
        .slice(0, 256)
        .join('');
      const account = `o'brien "x" \\ 王🔑`;
      await add(account, value);
      expect(await readPairs(await open(setup))).toEqual([[account, value]]);
    });

    test('a poller skips a value that is longer than any password, and continues after it', async () => {
      const { setup, setFor, add } = await captured();
      const poller = await open(setup);
      await add('alice', 'ä'.repeat(2048));
      await setFor('alice', 'x'.repeat(4097));
      await setFor('alice', 'a3');
      expect((await readAll(poller)).map(({ value }) => value.length)).toEqual([2048, 2]);
      expect(await readAll(poller)).toEqual([]);
    });

    test('a poller reports why it cannot read: missing rights, a missing table, a wrong password', async () => {
      const { setup, kept } = await captured();
      const reading = async (more: object) =>
        (await open(setup, more)).read().catch(({ code }) => code);
      expect(await reading({ table: 'nowhere' })).toMatch(/no_rights|not_supported/);
      expect(await reading({ user: 'nobody_at_all' })).toBe('service_credential_refused');
      expect(await reading({ ca: server(serverName).otherCaFile })).toBe('certificate_refused');
      await application().script(`revoke select on ${kept} from ${application().relay};`);
      expect(await reading({})).toBe('no_rights');
    });

    test('a relay whose password the database refused does not log in again for an hour', async () => {
      const { setup, kept } = await captured();
      const late = `late_${randomBytes(4).toString('hex')}`;
      const poller = await open(setup, { user: late });
      const now = performance.now.bind(performance);
      const readingAfter = async (minutes: number) => {
        const clock = jest
          .spyOn(performance, 'now')
          .mockImplementation(() => now() + minutes * 60_000);
        const result = await poller.read().then(
          () => 'read',
          ({ code }) => code,
        );
        clock.mockRestore();
        return result;
      };
      expect(await readingAfter(0)).toBe('service_credential_refused');
      // From now on a login would succeed.
      await application().script(
        engine === 'mysql'
          ? `create user ${late} identified by '${RELAY_PASSWORD}'; grant select, update, delete on ${kept} to ${late};`
          : `create role ${late} login password '${RELAY_PASSWORD}'; grant usage on schema ${application().schema} to ${late};
             grant select, update, delete on ${kept} to ${late};`,
      );
      expect([await readingAfter(1), await readingAfter(59)]).toEqual([
        ...['service_credential_refused', 'service_credential_refused'],
      ]);
      expect(await readingAfter(61)).toBe('read');
    });

    test('polling reports that the database is unreachable, and continues once it is back', async () => {
      const { setup, setFor, add } = await captured();
      const proxy = await startProxy({ host: '127.0.0.1', port: Number(server(serverName).port) });
      const poller = await open(setup, { port: proxy.address.port });
      // Keyed by sequence: a change that was not acknowledged when the server went away is read again.
      const ingested = new Map<string | null, string>();
      const polling = startPolling(poller, {
        ...{ source: 'crm', backlog: () => 0, maxBacklog: 10 },
        ingest: async ({ sequence, password }) => {
          ingested.set(
            sequence,
            password.use((bytes) => bytes.toString('utf8')),
          );
          return null;
        },
        ...{ startpointApplied: checkpointAt(null), missed: checkpointAt(null) },
        pace: { everyMs: 20, waitMs: { first: 20, max: 40 }, random: () => 1 },
      });
      try {
        await add('alice', 'a1');
        await until(() => ingested.size === 1);
        await proxy.refuse();
        proxy.cut();
        await until(() => polling.trouble() === 'unreachable');
        await setFor('alice', 'a2');
        await proxy.pass();
        await until(() => ingested.size === 2);
        expect([...ingested.values()]).toEqual(['a1', 'a2']);
        await until(() => polling.trouble() === null);
      } finally {
        await polling.stop();
        await proxy.stop();
      }
    });

    test('an outbox delays no writer and loses no change while many sessions write', async () => {
      const { setup, setFor, add } = await captured();
      const people = ['alice', 'bob', 'carol', 'dave'];
      for (const who of people) await add(who, `${who} 0`);
      const ROUNDS = 60;
      let writing = people.length;
      const write = async (who: string) => {
        const session = await connect();
        for (let n = 1; n < ROUNDS; n += 2) {
          await session.run('start transaction');
          await setFor(who, `${who} ${n}`, session);
          await setFor(who, `${who} ${n + 1}`, session);
          await session.run('commit');
        }
        writing--;
      };
      const poller = await open(setup, { keepDays: 0 });
      const changes: ReadChange[] = [];
      const reading = async () => {
        while (writing > 0) changes.push(...(await readAll(poller)));
      };
      await Promise.all([...people.map(write), reading()]);
      changes.push(...(await readAll(poller)));
      for (const who of people)
        expect(changes.filter(({ account }) => account === who).map(({ value }) => value)).toEqual(
          Array.from({ length: ROUNDS + 1 }, (_, n) => `${who} ${n}`),
        );
    });

    if (engine === 'postgres')
      test('a commit wakes the poller before its next regular read', async () => {
        const { setup, session, add } = await captured();
        let woken = 0;
        const poller = await open(setup, {}, () => woken++);
        await readAll(poller);
        await session.run('start transaction');
        await add('alice', 'a1');
        expect(woken).toBe(0);
        await session.run('commit');
        await until(() => woken === 1);
        expect(await readPairs(poller)).toEqual([['alice', 'a1']]);
      });
  });
});

/** Whether a statement waits for a lock. InnoDB's list of transactions cannot be used: queried often, it keeps showing an old state. */
async function aStatementWaits({ engine, ask }: Application): Promise<boolean> {
  const [row] = await ask(
    engine === 'postgres'
      ? `select count(*) as waits from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
      : `select variable_value as waits from information_schema.global_status where variable_name = 'Innodb_row_lock_current_waits'`,
  );
  return Number(row?.waits) > 0;
}

/** Resolves when the clock shows a later millisecond, so that what follows has another time. */
const laterThan = (now: number): Promise<void> => until(() => Date.now() > now + 1);
