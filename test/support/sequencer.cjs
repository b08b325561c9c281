const Sequencer = require('@jest/test-sequencer').default;

/** Files that run for a minute. If jest started them last, they would run alone at the end. */
const LONG =
  /\/test\/(e2e\/\w+|simulator\/simulator|scripts\/setup|connectors\/sql-column)\.test\.ts$/;

/** Starts the long files first. A clean checkout has no durations of an earlier run, so jest would go by file size. */
module.exports = class extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const long = sorted.filter(({ path }) => LONG.test(path));
    return [...long, ...sorted.filter(({ path }) => !LONG.test(path))];
  }
};
