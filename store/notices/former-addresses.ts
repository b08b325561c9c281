import { sql } from 'kysely';
import type { Database } from '../database';

/**
 * Keeps the values of address attributes that an update of a person replaces. A thief who changes the mail address
 * before the password can then not hide the notice from its owner. Only attributes that a channel of the configuration
 * in force sends to are kept. Call it in the transaction of the update, before it.
 */
export async function keepFormerAddresses(
  trx: Database,
  name: string,
  attributes: Readonly<Record<string, string>>,
): Promise<void> {
  await sql`
    insert into former_address (identity_id, attribute, address)
    select i.id, old.key, old.value
    from identity i cross join lateral jsonb_each_text(i.attributes) old
    where i.name = ${name} and old.value is distinct from ${JSON.stringify(attributes)}::jsonb ->> old.key
      and old.key in (
        select coalesce(channel.value -> 'settings' ->> 'addressAttribute', 'mail')
        from jsonb_each((select document -> 'notices' from configuration order by version desc limit 1)) channel
        where channel.value ->> 'kind' = 'mail' and channel.value -> 'for' ? 'people')
    on conflict (identity_id, attribute, address) do update set replaced_at = now()`.execute(trx);
}
