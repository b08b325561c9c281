import { activityContext } from './engine';

/** Stands in for `@temporalio/activity` while the simulator runs the real activities. */
export const activityInfo = () => ({ attempt: activityContext.getStore()?.attempt ?? 1 });
export const heartbeat = () => {};
