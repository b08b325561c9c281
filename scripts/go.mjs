#!/usr/bin/env node
// `npm start`, `npm test` and every other npm script come through here, so that a clean clone needs no other command
// before. Nothing is imported until the version of Node is known: older ones would only show a syntax error.

const supported = '^20.19.0 || >=22.13.0';
const [major, minor] = process.versions.node.split('.').map(Number);

if ((major === 20 && minor >= 19) || (major === 22 && minor >= 13) || major > 22) {
  const { command } = await import('./commands.mjs');
  process.exitCode = await command(process.argv.slice(2));
} else {
  console.error(`Lockstep needs Node ${supported}; this is ${process.versions.node}.`);
  console.error(
    'Install a newer one, for example the current LTS release, and run the same again.',
  );
  process.exitCode = 1;
}
