import type { AuditRecordAnswer } from '../../model/api/audit';
import type { ChangeAccount } from '../../model/api/changes';
import { errors, isErrorCode } from '../../model/errors';
import { span } from '../../model/span';
import { type Html, html } from '../html';
import { clock } from './shell';

/** What has happened at one account of a change, step by step, with the time between the steps. */

/** Records that are shown at once; the audit has the others. */
export const MOST_RECORDS = 200;

/** The steps of one account: the oldest first, with the time since the step before. */
export function accountTimeline(
  { label }: ChangeAccount,
  records: readonly AuditRecordAnswer[],
  begun: Date,
): Html | null {
  const own = records.filter(({ subject }) => subject === label).slice(-MOST_RECORDS);
  if (own.length === 0) return null;
  return html`<details id="steps-${label}"><summary class="more">${own.length === 1 ? '1 step' : `${own.length} steps`}<span class="sr"> of ${label}</span></summary><ol class="timeline">${own.map(
    (record, index) => {
      const before = index === 0 ? begun : (own[index - 1]?.at ?? begun);
      return html`<li class="${toneOf(record)}"><time datetime="${record.at.toISOString()}">${clock(record.at)}</time> <small>${gap(record.at.getTime() - before.getTime())} after ${index === 0 ? 'the change began' : 'the step before'}</small><br>${stepText(record)}</li>`;
    },
  )}</ol></details>`;
}

const gap = (ms: number): string => (ms < 1000 ? 'less than 1 s' : span(ms));

const toneOf = ({ action, severity }: AuditRecordAnswer): string =>
  action === 'account.applied' ? 'good' : severity === 'warning' ? 'bad' : 'busy';

/** The step in words: the number of the attempt, what followed, why, and how it was verified. */
function stepText({ action, says, actor, detail }: AuditRecordAnswer): string {
  const [family, state = ''] = action.split('.');
  const { attempts, proof, reason } = detail;
  if (family !== 'account') return `${says} (${actor.says})`;
  const attempt = typeof attempts === 'number' && attempts > 0 ? `Attempt ${attempts}: ` : '';
  const why = typeof reason === 'string' && isErrorCode(reason) ? ` ${errors[reason].says}` : '';
  const verified = typeof proof === 'string' && proof !== 'none' ? `, verified by ${proof}` : '';
  const text = `${attempt}${state.replaceAll('_', ' ')}${verified}.${why}`;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}
