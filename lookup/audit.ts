import { HttpProblem } from '../api/http/problem';
import { log } from '../log';
import type { LookupRefusal } from '../model/lookup/rules';
import type { Caller } from '../store/api-keys';
import { type NewAuditRecord, writeAudit } from '../store/audit';
import { type Database, isAway } from '../store/database';

/** More records do not wait for the database: further reads are refused. */
const MOST_WAITING = 10_000;
const FLUSH_EVERY_MS = 2_000;

type Action = 'credential.read' | 'credential.refused' | 'ticket.issued';

/** Writes the audit records of the lookup service. */
export interface Auditor {
  /**
   * Writes a record before the answer is sent.
   * @param mayWait whether the record may wait in memory while the database is unavailable
   * @throws HttpProblem `database_away` when the record cannot be kept
   */
  write(record: NewAuditRecord, mayWait: boolean): Promise<void>;
  /** Writes the records that wait, and ends. */
  close(): Promise<void>;
}

export function createAuditor(db: Database): Auditor {
  const waiting: NewAuditRecord[] = [];
  let flushing: Promise<void> | null = null;

  const keep = (record: NewAuditRecord): void => {
    if (waiting.length >= MOST_WAITING) throw new HttpProblem('database_away');
    // The database sets the time of a record when it is written.
    waiting.push({ ...record, detail: { ...record.detail, at: new Date().toISOString() } });
    const [, keyId = ''] = record.actor.split(':');
    log.warn('the database is unavailable, so an audit record waits in memory', {
      keyId,
      outcome: record.action,
      count: waiting.length,
    });
  };
  const flush = async (): Promise<void> => {
    for (let [record] = waiting; record !== undefined; [record] = waiting) {
      await writeAudit(db, record);
      waiting.shift();
    }
  };
  // One flush at a time, so that no record is written twice.
  const flushOnce = (): Promise<void> => {
    flushing ??= flush()
      .catch((error) => {
        if (!isAway(error)) log.error('audit records that wait could not be written', { error });
      })
      .finally(() => {
        flushing = null;
      });
    return flushing;
  };
  const timer = setInterval(() => void flushOnce(), FLUSH_EVERY_MS);
  timer.unref();

  return {
    async write(record, mayWait) {
      try {
        await writeAudit(db, record);
      } catch (error) {
        if (!mayWait || !isAway(error)) throw error;
        keep(record);
      }
    },
    async close() {
      clearInterval(timer);
      await flushOnce();
      if (waiting.length > 0)
        log.error('audit records were lost, because the database stayed unavailable', {
          count: waiting.length,
        });
    },
  };
}

/** An audit record of what a caller got, or did not get. */
export const recordOf = (
  { keyId }: Pick<Caller, 'keyId'>,
  action: Action,
  application: string | null,
  detail: NonNullable<NewAuditRecord['detail']>,
): NewAuditRecord => ({
  actor: `api-key:${keyId}`,
  action,
  ...(application !== null && { subject: application }),
  detail,
});

/**
 * Ends a request with the answer that every refusal has, after its reason was recorded. The name of an unknown
 * application is not recorded, because it may be a misplaced password.
 */
export async function refuse(
  { audit }: { readonly audit: Auditor },
  caller: Pick<Caller, 'keyId'>,
  asked: { readonly application: string; readonly detail: NonNullable<NewAuditRecord['detail']> },
  reason: LookupRefusal,
): Promise<never> {
  const application = reason === 'application_unknown' ? null : asked.application;
  const detail = { ...asked.detail, reason };
  await audit.write(recordOf(caller, 'credential.refused', application, detail), true);
  throw new HttpProblem('lookup_refused');
}
