#!/usr/bin/env node
// Entry point of `./lockstep` and of every npm script. It sets up what is missing, so that a clean clone needs no other
// command first. Nothing is imported until the version of Node is known: an older one would only show a syntax error.

const supported = '^20.19.0 || >=22.13.0';
const [major, minor] = process.versions.node.split('.').map(Number);

if ((major === 20 && minor >= 19) || (major === 22 && minor >= 13) || major > 22) {
  const { command } = await import('./commands.mjs');
  const exitCode = await command(process.argv.slice(2));
  // A command that runs in this process sets its own exit code, possibly before this line: undefined must not replace it.
  if (exitCode !== undefined) process.exitCode = exitCode;
} else {
  console.error(`Lockstep needs Node ${supported}; this is ${process.versions.node}.`);
  console.error(
    'Install a newer version, for example the current LTS release, and run the command again.',
  );
  process.exitCode = 1;
}
