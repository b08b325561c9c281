/** One server of a source. A password that is changed on a server without a relay is missed (semantics, rule 23). */
export interface Replica {
  readonly host: string;
  /** False for a read-only server, on which no password can be changed. */
  readonly writable: boolean;
}

export interface CoveringRelay {
  readonly id: string;
  /** The name that the machine of the relay has for itself, with or without a domain; null when it is not known. */
  readonly host: string | null;
  /** `host` when the relay captures the changes made on its machine, `source` when it captures those of all servers. */
  readonly covers: 'host' | 'source';
}

export interface Covered extends Replica {
  /** Id of the relay that captures the changes of this server; null when none does. */
  readonly relay: string | null;
}

/** Assigns each server the relay that covers it. */
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
