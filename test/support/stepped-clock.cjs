/** The clock of the process is ahead by as many milliseconds as the file LOCKSTEP_TEST_CLOCK says at the moment. */
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
