import { defineSearchAttributeKey } from '@temporalio/common';
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Closing } from '../activities/close-change';
import { searchAttributes } from './names';

/** What an operator reads in the Web UI. Nothing secret or personal: sources, labels and counts. */

const state = defineSearchAttributeKey(searchAttributes.state, 'KEYWORD');
const sources = defineSearchAttributeKey(searchAttributes.sources, 'KEYWORD_LIST');
const failed = defineSearchAttributeKey(searchAttributes.failed, 'INT');

/** Short lines: the page shows them as a list. */
export function tell(lines: readonly string[]): void {
  setCurrentDetails(lines.map((line) => `- ${line}`).join('\n'));
}

/** @param closing null when the change could not be closed: then the workflow itself fails */
export function tellTheEnd(closing: Closing | null): void {
  upsertSearchAttributes([
    { key: state, value: closing?.state ?? 'failed' },
    { key: sources, value: [...(closing?.sources ?? [])] },
    { key: failed, value: closing?.failed ?? 0 },
  ]);
  if (closing !== null) tell([`${closing.state}: ${endLine(closing)}`]);
}

const endLine = ({ failed: count }: Closing): string =>
  count === 0 ? 'every account holds the new password' : `${count} without the new password`;
