#!/usr/bin/env node
// Copies small files: place-file.mjs FROM TO MODE [FROM TO MODE]… It waits up to 30 s until each FROM is there, and replaces
// TO in one step. Units, init containers and images without a shell use it to give a key file to the user that needs it.
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const TRIES = 150;
const POLL_MS = 200;

const fail = (message, code) => {
  console.error(message);
  process.exit(code);
};

async function place(from, to, mode) {
  for (let tries = 0; !existsSync(from); tries++) {
    if (tries === TRIES) fail(`${from} does not exist after 30 s`, 1);
    await sleep(POLL_MS);
  }
  const draft = `${to}.${process.pid}.draft`;
  writeFileSync(draft, readFileSync(from), { mode: 0o600 });
  chmodSync(draft, Number.parseInt(mode, 8));
  renameSync(draft, to);
}

const args = process.argv.slice(2);
if (
  args.length === 0 ||
  args.length % 3 !== 0 ||
  args.some((mode, at) => at % 3 === 2 && !/^0[0-7]{3}$/.test(mode))
)
  fail('Usage: place-file.mjs FROM TO MODE [FROM TO MODE]…, with a mode such as 0444', 2);
for (let at = 0; at < args.length; at += 3) await place(...args.slice(at, at + 3));
