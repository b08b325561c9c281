#!/usr/bin/env node
// Asks the lookup service: lookup.mjs URL KEYFILE read APP | ticket APP | redeem APP SENDER | sign-in APP USERID
// redeem reads the ticket, and sign-in the password, on stdin. The answer is JSON on stdout.
import { readFileSync } from 'node:fs';

const [url, keyFile, verb, application, name] = process.argv.slice(2);
const end = (message, code = 1) => {
  process.stderr.write(`${message}\n`);
  process.exit(code);
};
// Such as a key file that cannot be read.
process.on('uncaughtException', ({ message }) => end(message));
const given = () => readFileSync(0, 'utf8').replace(/\n$/, '');
const request = {
  read: () => [`credentials/${encodeURIComponent(application)}`],
  ticket: () => ['tickets', { application }],
  redeem: () => ['tickets/redeem', { application, sender: name, ticket: given() }],
  'sign-in': () => ['host-sign-ins', { application, userId: name, password: given() }],
}[verb ?? ''];
const places = ['read', 'ticket'].includes(verb) ? 6 : 7;
if (request === undefined || process.argv.length !== places)
  end(
    'Usage: lookup.mjs URL KEYFILE read APP | ticket APP | redeem APP SENDER | sign-in APP USERID',
    2,
  );
const [path, body] = request();
const authorization = `Bearer ${readFileSync(keyFile, 'ascii').trim()}`;
const answer = await fetch(`${url}/v1/${path}`, {
  method: body === undefined ? 'GET' : 'POST',
  headers: { authorization, 'content-type': 'application/json' },
  body: JSON.stringify(body),
  signal: AbortSignal.timeout(30_000),
}).catch(({ cause }) => end(`The lookup service cannot be reached: ${cause?.code ?? cause}`));
if (!answer.ok) end((await answer.json()).detail);
process.stdout.write(`${await answer.text()}\n`);
