import { hasEnded } from '../../model/change/change';
import type { ChangeView } from '../../store/changes/read';
import type { Dependencies } from '../http/dependencies';
import { waitUntil } from '../http/hub';
import type { Preference } from '../http/prefer';

/** Whether what somebody waits for has come. */
export const decided = (change: ChangeView, until: Preference['until']): boolean =>
  hasEnded(change.state) || (until === 'auth' && authApplied(change));

export const authApplied = ({ accounts }: ChangeView): boolean =>
  accounts.some(({ role, state }) => role === 'auth' && state === 'applied');

export const waitForChange = (
  { changes, stopping }: Dependencies,
  id: string,
  { waitMs, until }: Preference,
  gone: AbortSignal,
): Promise<void> =>
  waitUntil(
    changes,
    id,
    (progress) => progress.ended || (until === 'auth' && progress.authApplied),
    waitMs,
    [gone, stopping],
  );
