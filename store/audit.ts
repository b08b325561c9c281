import type { FixedAction } from '../model/audit/says';
import type { ChangeState } from '../model/change/change';
import type { OutcomeState } from '../model/change/outcome';
import type { AccountAction, ActionResult } from '../model/people/account-actions';
import type { Database } from './database';

/**
 * One audit record for each transition, written in the transaction of the transition itself. A moment later a worker
 * chains the record (`worker/audit/chain.ts`): its hash covers its content and the hash of the record before it, so that
 * a record that was changed, moved or removed is detected. Records are chained after the transactions, because a chain
 * inside them would let only one transaction commit at a time.
 */
export interface NewAuditRecord {
  /** Who acted: `api-key:<id>`, the id of a relay, `worker` or `lockstep`. */
  readonly actor: string;
  readonly action: AuditAction;
  readonly changeId?: string;
  /** What was acted on: the label of an outcome, or the id or name of an account, mapping, source, relay or key. */
  readonly subject?: string;
  /** Codes and names, and the reason that an agent gives. Never any part of a password, or text of a vendor. */
  readonly detail?: Readonly<Record<string, string | number | boolean | null>>;
}

export type AuditAction =
  | FixedAction
  | `change.${ChangeState}`
  | `account.${OutcomeState}`
  | `account.${AccountAction}.${'requested' | ActionResult}`
  /** A capture that started no change, and why. */
  | `capture.${string}`;

export async function writeAudit(db: Database, record: NewAuditRecord): Promise<void> {
  await db
    .insertInto('audit')
    .values({
      actor: record.actor,
      action: record.action,
      change_id: record.changeId ?? null,
      subject: record.subject ?? null,
      detail: JSON.stringify(record.detail ?? {}),
    })
    .execute();
}
