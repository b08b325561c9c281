/** One audit record, with the names of what it is about as far as their rows still exist. */
export interface AuditRecord {
  /** Position in the chain, from 1; null until a worker has chained the record, a moment after it was written. */
  readonly position: number | null;
  readonly at: Date;
  readonly actor: AuditActor;
  readonly action: string;
  /** The id of the change; null for a record that belongs to none. */
  readonly change: string | null;
  readonly person: string | null;
  readonly source: string | null;
  /** The name of the account in its source. */
  readonly account: string | null;
  /** What was acted on: an id, the name of a source, or the label of an account in its change. */
  readonly subject: string | null;
  /** The name of an API key, a relay or an application that was acted on. */
  readonly subjectName: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Who acted. */
export interface AuditActor {
  /** `api-key:<id>`, the id of a relay, `worker` or `lockstep`. */
  readonly id: string;
  /** The name of the API key, or the source of the relay; null if its row is gone, and for `worker` and `lockstep`. */
  readonly name: string | null;
  /** Who uses the key; null if the key names no agent. */
  readonly agent: string | null;
  /** The identity provider at which the agent signed in; null for an API key. */
  readonly issuer: string | null;
}

const KEY = 'api-key:';

/** The actor for a person to read. */
export function actorSays({ id, name, agent, issuer }: AuditActor): string {
  if (id === 'worker') return 'a worker';
  if (id === 'lockstep') return 'Lockstep';
  const isKey = id.startsWith(KEY);
  if (name === null) return isKey ? `the API key ${id.slice(KEY.length)}, which is gone` : id;
  if (issuer !== null) return `${agent ?? name}, signed in at ${issuer}`;
  if (!isKey) return `the relay ${id} of ${name}`;
  return agent === null ? `the API key "${name}"` : `${agent}, with the API key "${name}"`;
}
