import { type Kysely, sql } from 'kysely';

/**
 * The lookup service has a role of its own, which reaches only the views of the schema `lookup`: the API keys for
 * look-ups, the people with such a key or a mapping, the applications of the configuration in force, the stored
 * credentials, and the master keys that a key server has sealed. It may record when a key was last used, what it has returned or refused, which tickets were redeemed, and
 * guesses. The views have the rights of their owner, so the role needs none on the tables. An operator creates the role
 * and gives it to `lookup.grant_to`, because not every owner of a database may create roles.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

const statements = [
  `create table redeemed_ticket (
     id text primary key,
     expires_at timestamptz not null
   )`,
  'create index redeemed_ticket_expires_at on redeemed_ticket (expires_at)',
  'create schema lookup',
  `create view lookup.api_key with (security_barrier) as
     select id, name, hash, scopes, groups, expires_at, revoked_at, last_used_at, agent, source, identity_id,
            previous_hash, previous_until
     from public.api_key
     where identity_id is not null and scopes = array['lookup']`,
  `create view lookup.identity with (security_barrier) as
     select id, name, attributes from public.identity i
     where exists (select from public.mapping where identity_id = i.id)
        or exists (select from public.api_key where identity_id = i.id and scopes = array['lookup'])`,
  `create view lookup.configuration with (security_barrier) as
     select version,
            (select jsonb_object_agg(key, value) from jsonb_each(document)
             where key in ('version', 'applications', 'peopleGroups', 'sso')) as document
     from public.configuration
     where version = (select max(version) from public.configuration)`,
  `create view lookup.mapping with (security_barrier) as
     select m.id, m.application, m.identity_id, m.account_id, a.name as account, m.state, m.sealed, m.master_key_id,
            m.applied_seq
     from public.mapping m join public.account a on a.id = m.account_id
     where m.enabled and m.sealed is not null`,
  `create view lookup.sign_in_guard as
     select account_id, failures, closed_until from public.sign_in_guard
     where account_id in (select account_id from public.mapping)
     with check option`,
  'create view lookup.master_key as select id, sealed, fingerprint from public.master_key',
  'create view lookup.redeemed_ticket as select id, expires_at from public.redeemed_ticket',
  `create view lookup.audit with (security_barrier) as
     select actor, action, change_id, subject, detail from public.audit
     where action in ('credential.read', 'credential.refused', 'ticket.issued')
       and actor like 'api-key:%' and change_id is null
     with check option`,
  `create function lookup.grant_to(role text) returns void language plpgsql as $$
   begin
     execute format('grant usage on schema lookup to %I', role);
     execute format('grant select on lookup.api_key, lookup.identity, lookup.configuration, lookup.mapping, lookup.master_key to %I', role);
     execute format('grant update (last_used_at) on lookup.api_key to %I', role);
     execute format('grant select, insert, update, delete on lookup.sign_in_guard to %I', role);
     execute format('grant select, insert, delete on lookup.redeemed_ticket to %I', role);
     execute format('grant insert on lookup.audit to %I', role);
     execute format('alter role %I in database %I set search_path = lookup', role, current_database());
   end $$`,
  'revoke execute on function lookup.grant_to(text) from public',
];
