import { readTableName } from '../../capture/polling/outbox/names';
import { outboxSettings } from '../../capture/polling/outbox/settings';
import { setUpOutbox } from '../../capture/polling/outbox/setup';
import { lockstep } from '../cli/run-cli';
import type { Application } from '../support/application';
import { inPairs, outboxBench, outboxEngines, readAll, readPairs } from '../support/outbox';
import { describeWith } from '../support/servers';

/** Runs the SQL for an outbox on real servers, as an administrator would. */
describe.each(outboxEngines)('the SQL of an outbox on %s', (engine, serverName) => {
  describeWith([serverName], 'on a real server', () => {
    const { application, connect, captured, open } = outboxBench(engine);

    test('the SQL works for unusual names of tables and columns', async () => {
      const strange = { accountColumn: 'Log.In "x" `y`', passwordColumn: "Pass Word's $lockstep$" };
      const longest = `${'ü'.repeat(30)}xyz`;
      for (const table of [`My.Table "a" \`b\` $1 'q'`, longest, `${longest.slice(0, -1)}Z`]) {
        const { setup, setFor, add } = await captured({ table, ...strange });
        await add('alice', 'a1');
        await setFor('alice', 'a2');
        const poller = await open(setup);
        expect(await readPairs(poller)).toEqual([
          ['alice', 'a1'],
          ['alice', 'a2'],
        ]);
      }
    });

    test('an outbox can be removed and created again without repeating a sequence', async () => {
      const { table, setup, setFor, add } = await captured();
      await add('alice', 'a1');
      const first = await open(setup);
      const before = await readAll(first);
      await first.close();
      expect(await oursBeside(table, application())).toHaveLength(engine === 'postgres' ? 4 : 3);
      await application().script(setup.undo);
      expect(await oursBeside(table, application())).toEqual([]);
      await setFor('alice', 'not captured');
      await application().script(setup.sql);
      await setFor('alice', 'a1');
      const again = await readAll(await open(setup));
      expect(inPairs(again)).toEqual(inPairs(before));
      expect(again[0]?.sequence.split('-')[0]).toBe(before[0]?.sequence.split('-')[0]);
      expect(again[0]?.sequence).not.toBe(before[0]?.sequence);
    });

    test('the relay has no rights on the application, and the application none on the outbox', async () => {
      const { name, kept, session, add } = await captured();
      await add('alice', 'a1');
      const relay = await connect('relay');
      expect(await relay.run(`select value from ${kept}`)).toEqual([{ value: 'a1' }]);
      const notForRelay = [`select * from ${name}`, `update ${kept} set value = 'b'`];
      for (const sql of [...notForRelay, `insert into ${kept} (account) values (null)`])
        await expect(relay.run(sql)).rejects.toThrow(/denied/);
      for (const sql of [`select * from ${kept}`, `delete from ${kept}`])
        await expect(session.run(sql)).rejects.toThrow(/denied/);
    });

    test('the command prints SQL that runs unchanged, with the settings for relay.json', async () => {
      const { schema, relay } = application();
      const table = 'printed_*/_people';
      const name = engine === 'postgres' ? `"app"."${table}"` : `\`${schema}\`.\`${table}\``;
      await application().script(
        `create table ${name} (login varchar(99) primary key, hash text);`,
      );
      const { code, stdout } = await lockstep([
        ...['relay', 'setup', 'outbox', '--engine', engine, '--table', `${schema}.${table}`],
        ...['--account-column', 'login', '--password-column', 'hash', '--role', relay],
      ]);
      expect(code).toBe(0);
      await application().script(stdout);
      await application().script(`insert into ${name} values ('alice', 'a1');`);
      const [, block = ''] = stdout.split('/*\n').map((part) => part.split('\n*/')[0]);
      const { poll } = JSON.parse(`{${block}}`);
      expect(outboxSettings.safeParse(poll.settings).error).toBeUndefined();
      expect(await readPairs(await open({ poll }))).toEqual([['alice', 'a1']]);
    });
  });
});

test.each([
  ['app.users', 'app', 'users'],
  ['App.Users', 'App', 'Users'],
  ['"my.schema"."the ""table"""', 'my.schema', 'the "table"'],
])('the text %s is parsed as a table name', (text, schema, table) => {
  expect(readTableName(text)).toEqual({ schema, table });
});

test.each(['users', 'a.b.c', '.users', 'app.', '"app.users', '"app"users.x', ''])(
  'the text "%s" is refused as a table name',
  (text) => {
    expect(() => readTableName(text)).toThrow('give schema and table');
  },
);

test.each([['x'.repeat(64)], ['a\nb'], ['']])('the column name %j is refused', (accountColumn) => {
  const rest = { table: 'app.users', passwordColumn: 'hash', role: 'relay' };
  const wanted = { engine: 'postgres', accountColumn, ...rest } as const;
  expect(() => setUpOutbox(wanted)).toThrow('cannot be a name');
});

/** Names of the tables, triggers and functions that the setup created. */
async function oursBeside(table: string, { schema, ask }: Application): Promise<string[]> {
  const found: string[] = [];
  for (const kind of ['table', 'trigger', 'routine'])
    for (const { name } of await ask(
      `select ${kind}_name as name from information_schema.${kind}s
       where ${kind}_schema = '${schema}' and ${kind}_name like '${table}_lockstep%'`,
    ))
      found.push(String(name));
  return found;
}
