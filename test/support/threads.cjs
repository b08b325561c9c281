const path = require('node:path');

// A thread that a module in the tree starts is TypeScript, too.
process.execArgv.push('--require', path.join(__dirname, 'typescript.cjs'));
