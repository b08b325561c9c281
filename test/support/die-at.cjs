/**
 * Kills the process with SIGKILL at the step whose number is in LOCKSTEP_TEST_DIE_AT. There is one step before and one after
 * each operation on a file, a socket or the api.
 */
const { promises } = require('node:fs');
const http = require('node:http');
const net = require('node:net');

const last = Number(process.env.LOCKSTEP_TEST_DIE_AT);
let steps = 0;
const step = () => {
  steps += 1;
  if (steps === last) process.kill(process.pid, 'SIGKILL');
};

const around = (object, name, then = (value) => value) => {
  const original = object[name];
  object[name] = async (...args) => {
    step();
    const value = await original.apply(object, args);
    step();
    return then(value);
  };
};

const handle = (file) => {
  for (const name of ['write', 'writeFile', 'datasync', 'sync']) around(file, name);
  return file;
};

for (const name of ['rm', 'rename', 'writeFile']) around(promises, name);
around(promises, 'open', handle);

const { request } = http;
http.request = (...args) => {
  step();
  return request(...args).once('response', step);
};
const { write } = net.Socket.prototype;
net.Socket.prototype.write = function (...args) {
  step();
  const written = write.apply(this, args);
  step();
  return written;
};

process.on('exit', () => console.log(JSON.stringify({ steps })));
