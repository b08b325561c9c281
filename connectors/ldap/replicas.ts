import { AndFilter, EqualityFilter } from 'ldapts';
import type { Replica } from '../../model/captures/replica';
import { search, valuesOf } from './accounts';
import { isWithin } from './dn';
import type { Link, Reply } from './link';
import { serverOf } from './server';

/** nsuniqueid of the entry that lists the replicas in 389 Directory Server. Each replicated suffix has one. */
const UPDATE_VECTOR = 'ffffffff-ffffffff-ffffffff-ffffffff';

/** Matches a supplier, that is a replica that accepts writes: `{replica 1 ldap://host:389} …`. */
const SUPPLIER = /^\{replica \d+ ldaps?:\/\/(?:\[([^\]]+)\]|([^:/}]+))/;

/**
 * Reads the suppliers of 389 Directory Server from `nsds50ruv`, if the service account may read it. The list is empty for
 * other directories: OpenLDAP publishes the numbers of its providers, but not their hosts.
 */
export async function readSuppliers(link: Link, base: string): Promise<Reply<readonly Replica[]>> {
  const { namingContexts } = await serverOf(link);
  const suffixes = namingContexts.filter((suffix) => isWithin(base, suffix));
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
