#!/usr/bin/env node
// Asks the lookup service: lookup.mjs URL KEYFILE read APP | ticket APP | redeem APP SENDER | sign-in APP USERID
// redeem reads the ticket, and sign-in the password, on stdin. The answer is JSON on stdout.
import { readFileSync } from 'node:fs';

const [url, keyFile, verb, application, name] = process.argv.slice(2);
const given = () => readFileSync(0, 'utf8').replace(/\n$/, '');
const [path, body] = {
  read: () => [`credentials/${encodeURIComponent(application)}`],
  ticket: () => ['tickets', { application }],
  redeem: () => ['tickets/redeem', { application, sender: name, ticket: given() }],
  'sign-in': () => ['host-sign-ins', { application, userId: name, password: given() }],
}[verb]();
const authorization = `Bearer ${readFileSync(keyFile, 'ascii').trim()}`;
const answer = await fetch(`${url}/v1/${path}`, {
  method: body === undefined ? 'GET' : 'POST',
  headers: { authorization, 'content-type': 'application/json' },
  body: JSON.stringify(body),
  signal: AbortSignal.timeout(30_000),
}).catch((error) => {
  process.stderr.write(
    `The lookup service cannot be reached: ${error.cause?.code ?? error.message}\n`,
  );
  process.exit(1);
});
if (answer.ok) process.stdout.write(`${await answer.text()}\n`);
else process.stderr.write(`${(await answer.json()).detail}\n`);
process.exitCode = answer.ok ? 0 : 1;
