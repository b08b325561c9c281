import { quoted } from '../../../connectors/sql/identifiers';
import type { OutboxNames, OutboxSetup } from './names';

const quote = quoted.postgres;
const text = (value: string) => `'${value.replaceAll("'", "''")}'`;

/** SQL that creates an outbox in PostgreSQL 11 or later, for psql. One transaction creates everything or nothing. */
export function postgresSql(names: OutboxNames): Pick<OutboxSetup, 'sql' | 'undo'> {
  const { application, triggers } = names;
  const within = (name: string) => `${quote(application.schema)}.${quote(name)}`;
  const table = within(application.table);
  const outbox = within(names.outbox);
  const capture = `${within(names.capture)}()`;
  const role = quote(names.role);
  const trigger = (name: string, event: string, when: string) =>
    `create trigger ${quote(name)} after ${event} on ${table}
for each row when (${when}) execute function ${capture};`;
  const { isAccount, isPassword, isNew } = conditions(names);
  const sql = `begin;

create table ${outbox} (
  id bigint generated always as identity primary key,
  account text not null,
  value text not null,
  changed_at timestamptz not null,
  taken_at timestamptz
);
create index on ${outbox} (taken_at, id);
revoke all on ${outbox} from public;

-- The function runs with the rights of its owner, so the application needs no rights on the outbox.
create function ${capture} returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as ${body(names, outbox)};
revoke all on function ${capture} from public;

${trigger(triggers.insert, 'insert', `${isAccount} and ${isPassword}`)}
${trigger(triggers.update, 'update', `${isAccount} and ${isPassword} and ${isNew}`)}

-- The role of the relay. If it does not exist yet: create role ${role} login, and \\password to set its password.
grant usage on schema ${quote(application.schema)} to ${role};
grant select, delete, update (taken_at) on ${outbox} to ${role};

commit;`;
  const undo = `begin;
drop trigger ${quote(triggers.insert)} on ${table};
drop trigger ${quote(triggers.update)} on ${table};
drop function ${capture};
drop table ${outbox};
commit;
-- If nothing else uses it: revoke usage on schema ${quote(application.schema)} from ${role}, and drop role ${role}.`;
  return { sql, undo };
}

function conditions({ accountColumn, passwordColumn }: OutboxNames) {
  const account = `${quote(accountColumn)}::text`;
  const password = `${quote(passwordColumn)}::text`;
  return {
    // Not true for null either: the outbox has no nulls, and its error would fail the statement of the application.
    isAccount: `new.${account} <> ''`,
    isPassword: `new.${password} <> ''`,
    // Compares bytes: the collation of the column may ignore case.
    isNew: `new.${password} collate "C" is distinct from old.${password} collate "C"`,
  };
}

/**
 * The body of the trigger function. It uses `clock_timestamp()` because `now()` is the start of the transaction, which may be
 * earlier than another transaction's change of the same account.
 */
function body({ accountColumn, passwordColumn, outbox }: OutboxNames, into: string): string {
  const statements = `
begin
  insert into ${into} (account, value, changed_at)
  values (new.${quote(accountColumn)}::text, new.${quote(passwordColumn)}::text, clock_timestamp());
  perform pg_notify(${text(outbox)}, '');
  return null;
end
`;
  let delimiter = '$lockstep$';
  for (let n = 1; statements.includes(delimiter); n++) delimiter = `$lockstep${n}$`;
  return `${delimiter}${statements}${delimiter}`;
}
