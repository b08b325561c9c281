const wanted = process.env.LOCKSTEP_CONSOLE_ACCOUNTS;

/** What `npm run check:console` does more than `npm test`. */
export const consoleCheck = {
  isRunning: wanted !== undefined,
  /** How many accounts wait. */
  accounts: Number(wanted ?? 2_000),
};

/** A test that measures times. They depend on the machine, so `npm test` leaves it out. */
export const testIfChecked = consoleCheck.isRunning ? test : test.skip;
