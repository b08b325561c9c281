/** Writes to the file `MODULES_FILE` which modules the process had loaded when it ended. */
const { writeFileSync } = require('node:fs');

process.once('exit', () => {
  writeFileSync(process.env.MODULES_FILE, Object.keys(require.cache).join('\n'));
});
