let count = 0;

/** Counts the ids from 1 again, so that a seed gives the same ids in every run. */
export const restartIds = (): void => {
  count = 0;
};

/** Replaces `newId`: an id of the same form, without its time and chance. */
export const countedId = (prefix: string): string =>
  `${prefix}_${(++count).toString().padStart(26, '0')}`;
