import { ApplicationFailure } from '@temporalio/common';
import { log } from '../log';
import { openDeliveries } from '../store/notices/deliveries';
import { beating } from '.';
import { deliverNotice, type NoticeDependencies } from './deliver-notice';

/** The activities of the workflow `deliverNotice`. Recorded histories refer to them by these keys. */
export const createNoticeActivities = (deps: NoticeDependencies) => ({
  openDeliveries: withoutDetails((noticeId: string) => openDeliveries(deps.db, noticeId)),
  deliverNotice: beating(withoutDetails(deliverNotice(deps))),
});

export type NoticeActivities = ReturnType<typeof createNoticeActivities>;

/** Replaces an error of a driver, which may quote an address, by one without details, and logs the original. */
const withoutDetails =
  <Result>(activity: (id: string) => Promise<Result>) =>
  async (id: string): Promise<Result> => {
    try {
      return await activity(id);
    } catch (error) {
      if (error instanceof ApplicationFailure) throw error;
      log.warn('a step of a notice failed and is repeated; look for the cause in "error"', {
        noticeId: id,
        error,
      });
      const failure = ApplicationFailure.create({
        type: 'step_interrupted',
        message:
          'The step failed and is repeated. Search the log of the worker for its id to see why.',
      });
      failure.stack = '';
      throw failure;
    }
  };
