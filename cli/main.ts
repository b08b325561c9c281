#!/usr/bin/env node
import { run } from './program';

// The reader of a pipe may close it early: `lockstep changes | head`.
process.stdout.on('error', () => process.exit());

void run(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
