import { channelsFor } from '../../model/configuration/notice-channels';
import type { AppliedConfiguration } from '../../store/configuration/versions';
import type { Database } from '../../store/database';
import { forgetNotices, noteUnsavedMasterKey, watchForNotices } from '../../store/notices/watch';
import { remindOfExpiry } from '../../store/people/expiry';
import type { EventKey } from '../../store/worker/keys/event-key';
import { type Loop, startLoop } from '../loop';

/**
 * Starts the loop that finds what no transition reports: silent relays, keys that end, trouble that lasts, master keys
 * without a backup. Every worker
 * runs it, and the keys of the notices make sure that each is written once.
 */
export const startNoticeWatch = (
  db: Database,
  configuration: () => Promise<AppliedConfiguration>,
  eventKey: Pick<EventKey, 'publish'>,
  unsavedMasterKeys: () => Promise<readonly string[]>,
): Loop =>
  startLoop({ name: 'notice watch', everyMs: 30_000 }, async () => {
    const { configuration: inForce } = await configuration();
    // A receiver fetches the public key before the first event.
    if (Object.values(inForce.notices).some(({ kind }) => kind === 'caep'))
      await eventKey.publish();
    // Without a channel the notices would be withdrawn, and not written again once there is one.
    if (channelsFor(inForce, 'operators').length > 0) {
      await watchForNotices(db);
      // Only stored credentials of applications depend on it.
      if (Object.keys(inForce.applications).length > 0)
        for (const id of await unsavedMasterKeys()) await noteUnsavedMasterKey(db, id);
    }
    await forgetNotices(db);
    return false;
  });

/**
 * Starts the loop that reminds people whose passwords expire. Without a channel for people nothing is written, because
 * the notices would be withdrawn and not written again.
 */
export const startExpiryWatch = (
  db: Database,
  configuration: () => Promise<AppliedConfiguration>,
): Loop =>
  startLoop({ name: 'expiry watch', everyMs: 600_000 }, async () => {
    const { configuration: inForce } = await configuration();
    if (channelsFor(inForce, 'people').length === 0) return false;
    for (const [group, { authSource, expiry }] of Object.entries(inForce.groups))
      if (expiry !== undefined) await remindOfExpiry(db, group, authSource, expiry);
    return false;
  });
