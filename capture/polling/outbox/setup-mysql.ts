import { quoted } from '../../../connectors/sql/identifiers';
import type { OutboxNames, OutboxSetup } from './names';

const quote = quoted.mysql;

/** Meant for the client of MySQL or MariaDB, which knows `delimiter`. */
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

-- The user of the relay; if there is none yet: create user ${user} identified by '...' require ssl
grant select, delete, update (taken_at) on ${outbox} to ${user};

-- They run with the rights of whoever creates them: use an account that stays.
delimiter //
${trigger(triggers.insert, 'insert', `${isAccount} and ${isPassword}`)}
${trigger(triggers.update, 'update', `${isAccount} and ${isPassword} and ${isNew}`)}
delimiter ;`;
  const undo = `drop trigger ${within(triggers.insert)};
drop trigger ${within(triggers.update)};
revoke select, delete, update (taken_at) on ${outbox} from ${user};
drop table ${outbox};
-- If nothing else needs it: drop user ${user}`;
  return { sql, undo };
}

const inUtf8 = (name: string) => `convert(new.${quote(name)} using utf8mb4)`;

function conditions({ accountColumn, passwordColumn }: OutboxNames) {
  const password = quote(passwordColumn);
  return {
    // Not null either, or the outbox would refuse what the application does.
    isAccount: `length(${inUtf8(accountColumn)}) > 0`,
    isPassword: `length(${inUtf8(passwordColumn)}) > 0`,
    // Byte for byte: most collations take upper case for lower, and spaces at the end for nothing.
    isNew: `not (cast(new.${password} as binary) <=> cast(old.${password} as binary))`,
  };
}

/**
 * `values`, as MariaDB locks the whole outbox for an `insert … select`. `now` and `utc_timestamp` tell when the statement began,
 * which may have waited for another one that changed the same account; `sysdate` tells the time, but in the zone of the session.
 */
function insert({ accountColumn, passwordColumn }: OutboxNames, into: string): string {
  const late = 'timestampdiff(microsecond, now(6), sysdate(6))';
  return `  insert into ${into} (account, value, changed_at)
  values (${inUtf8(accountColumn)}, ${inUtf8(passwordColumn)},
          utc_timestamp(6) + interval ${late} microsecond);`;
}
