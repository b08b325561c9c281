const path = require('node:path');

// A thread that a module starts also runs TypeScript.
process.execArgv.push('--require', path.join(__dirname, 'typescript.cjs'));
