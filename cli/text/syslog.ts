import type { AuditSeverity } from '../../model/audit/says';
import { withoutControls } from '../controls';
import type { AuditRecord } from '../http/answers';

/** The facility "log audit" (RFC 5424 §6.2.1). */
const FACILITY = 13;
const severities: Readonly<Record<AuditSeverity, number>> = { warning: 4, notice: 5, info: 6 };

/**
 * The number of an organisation in the name of structured data. Lockstep has none of its own, so it uses the number that
 * RFC 5612 reserves for documentation.
 */
const SD_ID = 'lockstep@32473';

/** MSGID has 32 characters at most, which are printable ASCII without spaces (RFC 5424 §6). */
const MSGID_LENGTH = 32;
const HOST_LENGTH = 255;

/** The record as one line of RFC 5424, without the line feed. @param host the name of the api */
export function syslogLine(record: AuditRecord, host: string): string {
  const { at, action, severity, actor, says } = record;
  const priority = FACILITY * 8 + severities[severity];
  const header = `<${priority}>1 ${at} ${ascii(host, HOST_LENGTH)} lockstep - ${ascii(action, MSGID_LENGTH)}`;
  const parameters = Object.entries(parametersOf(record)).flatMap(([name, value]) =>
    value === null ? [] : [` ${name}="${escaped(String(value))}"`],
  );
  // The byte order mark declares UTF-8 (§6.4). A control character would end the line or reach a terminal.
  return `${header} [${SD_ID}${parameters.join('')}] \ufeff${withoutControls(`${actor.says}: ${says}`)}`;
}

const parametersOf = (record: AuditRecord) => ({
  position: record.position,
  action: record.action,
  actor: record.actor.id,
  actorName: record.actor.name,
  agent: record.actor.agent,
  person: record.person,
  source: record.source,
  account: record.account,
  change: record.change,
  subject: record.subject,
  subjectName: record.subjectName,
  detail: JSON.stringify(record.detail),
});

/** Quotation mark, backslash and closing bracket are escaped in the value of a parameter (§6.3.3). */
const escaped = (value: string): string => withoutControls(value).replace(/["\\\]]/g, '\\$&');

const ascii = (text: string, length: number): string =>
  text.replace(/[^!-~]/g, '_').slice(0, length) || '-';
