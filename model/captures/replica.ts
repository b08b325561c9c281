/** Which servers of a source have a relay, and which have none: a password that is changed there is missed (§6, rule 23). */

/** A server of a source, on which passwords may be changed. */
export interface Replica {
  readonly host: string;
  /** Nobody changes a password on one that only reads. */
  readonly writable: boolean;
}

export interface CoveringRelay {
  readonly id: string;
  /** As its machine calls itself, with or without its domain. */
  readonly host: string | null;
  /** Changes made on its machine, or all of its source. */
  readonly covers: 'host' | 'source';
}

export interface Covered extends Replica {
  /** Null: what is changed there is captured by nobody. */
  readonly relay: string | null;
}

export const replicasCovered = (
  replicas: readonly Replica[],
  relays: readonly CoveringRelay[],
): readonly Covered[] =>
  replicas.map((replica) => {
    const relay = relays.find(
      ({ host, covers }) => covers === 'source' || isSame(replica.host, host),
    );
    return { ...replica, relay: relay?.id ?? null };
  });

/** `dc1` and `DC1.example.com` are one machine; `dc1.example.com` and `dc1.example.org` are two. */
function isSame(one: string, other: string | null): boolean {
  if (other === null) return false;
  const [a, b] = [one, other].map((name) => name.toLowerCase().replace(/\.$/, '').split('.'));
  if (a === undefined || b === undefined) return false;
  return a.slice(0, b.length).join('.') === b.slice(0, a.length).join('.');
}
