import { activityContext } from './engine';

/** Stands in for `@temporalio/activity` while the simulator runs the real activities. */
export const activityInfo = () => activityContext.getStore() ?? { attempt: 1, activityType: '' };
export const heartbeat = () => {};
