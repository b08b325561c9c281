import { escapedControls } from '../controls';
import type { AuditRecord } from '../http/answers';
import type { Output, Style } from '../output';
import { syslogLine } from './syslog';

/** How `lockstep audit` prints a record. */
export const auditFormats = ['text', 'jsonl', 'syslog'] as const;
export type AuditFormat = (typeof auditFormats)[number];

const styles: Partial<Record<AuditRecord['severity'], Style>> = { warning: 'yellow' };

/** The line of one record: time, action, actor and what happened. */
export function auditLine(
  { paint }: Pick<Output, 'paint'>,
  format: AuditFormat,
  record: AuditRecord,
  host: string,
): string {
  if (format === 'jsonl') return escapedControls(JSON.stringify(record));
  if (format === 'syslog') return syslogLine(record, host);
  const style = styles[record.severity];
  const action = record.action.padEnd(ACTION_WIDTH);
  const change = record.change === null ? '' : ` (${record.change})`;
  return `${timeOf(record.at)}  ${style === undefined ? action : paint(style, action)}  ${record.actor.says}: ${record.says}${change}`;
}

const ACTION_WIDTH = 22;

/** ISO 8601 to the second, in UTC, so that records of several machines compare. */
const timeOf = (at: string): string => at.replace(/\.\d+Z$/, 'Z');
