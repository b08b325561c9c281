import { quoted } from '../../../connectors/sql/identifiers';
import type { OutboxNames, OutboxSetup } from './names';

const quote = quoted.mysql;

/** SQL that creates an outbox in MySQL or MariaDB. It is for their command-line clients, which know `delimiter`. */
export function mysqlSql(names: OutboxNames): Pick<OutboxSetup, 'sql' | 'undo'> {
  const { application, triggers } = names;
  const within = (name: string) => `${quote(application.schema)}.${quote(name)}`;
  const outbox = within(names.outbox);
  const user = `${quote(names.role)}@'%'`;
  const { isAccount, isPassword, isNew } = conditions(names);
  const trigger = (name: string, event: string, when: string) =>
    `create trigger ${within(name)} after ${event} on ${within(application.table)} for each row
if ${when} then
${insert(names, outbox)}
end if//`;
  const sql = `create table ${outbox} (
  id bigint not null auto_increment primary key,
  account text not null,
  value longtext not null,
  changed_at datetime(6) not null,
  taken_at datetime(6) null,
  index (taken_at, id)
) engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin;

-- The user of the relay. If it does not exist yet: create user ${user} identified by '...' require ssl
grant select, delete, update (taken_at) on ${outbox} to ${user};

-- The triggers run with the rights of the account that creates them: use an account that will not be removed.
delimiter //
${trigger(triggers.insert, 'insert', `${isAccount} and ${isPassword}`)}
${trigger(triggers.update, 'update', `${isAccount} and ${isPassword} and ${isNew}`)}
delimiter ;`;
  const undo = `drop trigger ${within(triggers.insert)};
drop trigger ${within(triggers.update)};
revoke select, delete, update (taken_at) on ${outbox} from ${user};
drop table ${outbox};
-- If nothing else uses it: drop user ${user}`;
  return { sql, undo };
}

const inUtf8 = (name: string) => `convert(new.${quote(name)} using utf8mb4)`;

function conditions({ accountColumn, passwordColumn }: OutboxNames) {
  const password = quote(passwordColumn);
  return {
    // False for null, too: the outbox has no nulls, and its error would fail the statement of the application.
    isAccount: `length(${inUtf8(accountColumn)}) > 0`,
    isPassword: `length(${inUtf8(passwordColumn)}) > 0`,
    // Compares bytes: most collations ignore case and trailing spaces.
    isNew: `not (cast(new.${password} as binary) <=> cast(old.${password} as binary))`,
  };
}

/**
 * The statement of a trigger. It uses `values` because MariaDB locks the whole outbox for an `insert … select`. `now` and
 * `utc_timestamp` are the start of the statement, which may have waited for another change of the same account; `sysdate` is
 * the current time but in the time zone of the session, so only the difference to `now` is used.
 */
function insert({ accountColumn, passwordColumn }: OutboxNames, into: string): string {
  const late = 'timestampdiff(microsecond, now(6), sysdate(6))';
  return `  insert into ${into} (account, value, changed_at)
  values (${inUtf8(accountColumn)}, ${inUtf8(passwordColumn)},
          utc_timestamp(6) + interval ${late} microsecond);`;
}
