import { hasEnded } from '../../model/change/change';
import type { ChangeView } from '../../store/changes/read';
import type { Dependencies } from '../http/dependencies';
import { waitUntil } from '../http/hub';
import type { Preference } from '../http/prefer';

/** Whether the outcome that the client waits for is known. */
export const decided = (change: ChangeView, until: Preference['until']): boolean =>
  hasEnded(change.state) || (until === 'auth' && authApplied(change));

/** Whether the auth account holds the new password. */
export const authApplied = ({ accounts }: ChangeView): boolean =>
  accounts.some(({ role, state }) => role === 'auth' && state === 'applied');

/** Resolves when the outcome is known, the wait is over, the client has disconnected or the API stops. */
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
