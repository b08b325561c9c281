// Listens on the pipe as the relay does, in Windows: listen.cjs <file of what was taken> <marker>
// <marker> 'deaf': never answers, and reads nothing.
const { appendFileSync } = require('node:fs');
const net = require('node:net');
const path = require('node:path');

const [, , taken, mode] = process.argv;
const PIPE = '\\\\.\\pipe\\lockstep';
const up = () => console.log('up');

if (mode === 'deaf') {
  net.createServer((connection) => connection.pause()).listen(PIPE, up);
} else {
  const { listenForCaptures } = require(
    path.resolve(__dirname, '../../../dist/capture/hand-over/listener.js'),
  );
  const take = async ({ account, password, capturedAt }) => {
    const text = password.use((bytes) => Buffer.from(bytes).toString('utf8'));
    appendFileSync(taken, `${JSON.stringify({ account, password: text, capturedAt })}\n`);
    return null;
  };
  listenForCaptures(PIPE, 0o600, take).then(up, (error) => {
    console.log(error.message);
    process.exitCode = 1;
  });
}
