import { defineSearchAttributeKey } from '@temporalio/common';
import { patched, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { AuthStep } from '../activities/change-auth-account';
import type { Closing } from '../activities/close-change';
import { SHOWS_WAITING, searchAttributes } from './names';

/**
 * The texts and search attributes that the Web UI shows of a change: source names, labels and counts, nothing personal.
 */

const state = defineSearchAttributeKey(searchAttributes.state, 'KEYWORD');
const sources = defineSearchAttributeKey(searchAttributes.sources, 'KEYWORD_LIST');
const failed = defineSearchAttributeKey(searchAttributes.failed, 'INT');

/** Shows these lines as a list on the page of the workflow. */
export function showLines(lines: readonly string[]): void {
  setCurrentDetails(lines.map((line) => `- ${line}`).join('\n'));
}

/**
 * Shows in the search attribute whether accounts are waiting, as the CLI does. It is called only by changes that have
 * waited, because it costs an event.
 * @param plan says whether the change was planned by a release whose changes always show it. A change that waited before
 *   this existed has no such event in its history, and the marker by which `patched` recognizes that costs two more
 */
export function showState(value: 'applying' | 'waiting', plan: Pick<AuthStep, 'showsState'>): void {
  if (plan.showsState || patched(SHOWS_WAITING)) upsertSearchAttributes([{ key: state, value }]);
}

/**
 * Shows how the change ended, as search attributes and as lines.
 * @param closing null when closing the change failed, so that the workflow itself fails
 */
export function showEnd(closing: Closing | null): void {
  upsertSearchAttributes([
    { key: state, value: closing?.state ?? 'failed' },
    { key: sources, value: [...(closing?.sources ?? [])] },
    { key: failed, value: closing?.failed ?? 0 },
  ]);
  if (closing !== null)
    showLines([`${closing.state}: ${endLine(closing)}`, ...(closing.unchanged ?? [])]);
}

/** The activity of an older history has made no sentence. */
const endLine = ({ failed: count, says }: Closing): string =>
  says ?? `${count} ${count === 1 ? 'account does' : 'accounts do'} not hold the new password`;
