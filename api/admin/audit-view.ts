import type { AuditRecordAnswer } from '../../model/api/audit';
import { actorSays } from '../../model/audit/record';
import { auditSays, severityOf } from '../../model/audit/says';
import type { FoundRecord } from '../../store/audit-records';

/** A record with its sentences. */
export const shownRecord = ({ id: _, ...record }: FoundRecord): AuditRecordAnswer => ({
  ...record,
  actor: { ...record.actor, says: actorSays(record.actor) },
  severity: severityOf(record),
  says: auditSays(record),
});
