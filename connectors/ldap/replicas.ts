import { AndFilter, EqualityFilter } from 'ldapts';
import type { Replica } from '../../model/captures/replica';
import { search, valuesOf } from './accounts';
import type { Link, Reply } from './link';
import { serverOf } from './server';

/** The entry in which 389 Directory Server keeps who replicates, below each suffix that is replicated. */
const UPDATE_VECTOR = 'ffffffff-ffffffff-ffffffff-ffffffff';

/** `{replica 1 ldap://host:389} …`: the suppliers, on which something was or may be written. */
const SUPPLIER = /^\{replica \d+ ldaps?:\/\/(?:\[([^\]]+)\]|([^:/}]+))/;

/**
 * The suppliers of 389 Directory Server, where the service account may read `nsds50ruv` of its `cn=config`, which answers. Of other directories nothing is
 * known: OpenLDAP tells numbers of its providers, and no hosts.
 */
export async function readSuppliers(link: Link, base: string): Promise<Reply<readonly Replica[]>> {
  const { namingContexts } = await serverOf(link);
  const suffixes = namingContexts.filter((suffix) =>
    base.toLowerCase().endsWith(suffix.toLowerCase()),
  );
  const hosts = new Set<string>();
  for (const suffix of suffixes) {
    const reply = await search(link, suffix, {
      scope: 'sub',
      filter: new AndFilter({
        filters: [
          new EqualityFilter({ attribute: 'nsuniqueid', value: UPDATE_VECTOR }),
          new EqualityFilter({ attribute: 'objectClass', value: 'nstombstone' }),
        ],
      }),
      attributes: ['nsds50ruv'],
    });
    if (!reply.ok) return reply;
    for (const value of reply.value.flatMap((entry) => valuesOf(entry, 'nsds50ruv'))) {
      const [, ipv6, host] = SUPPLIER.exec(String(value)) ?? [];
      hosts.add(ipv6 ?? host ?? '');
    }
  }
  hosts.delete('');
  return { ok: true, value: [...hosts].map((host) => ({ host, writable: true })) };
}
