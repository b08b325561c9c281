/** Moves the clock of the process ahead by the number of milliseconds in the file LOCKSTEP_TEST_CLOCK, which may change. */
const { readFileSync } = require('node:fs');

const RealDate = Date;
const now = () => RealDate.now() + Number(readFileSync(process.env.LOCKSTEP_TEST_CLOCK, 'utf8'));

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(now());
    else super(...args);
  }
  static now() {
    return now();
  }
};
