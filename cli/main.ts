#!/usr/bin/env node
import { run } from './program';

// The reader of a pipe may close it early: `lockstep changes | head`. Any other error means that the output is not complete.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? undefined : 1),
);
process.stderr.on('error', () => {});

void run(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
