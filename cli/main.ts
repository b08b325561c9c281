#!/usr/bin/env node
import { run } from './program';

// Whoever reads us has seen enough: `lockstep changes | head`.
process.stdout.on('error', () => process.exit());

void run(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
