// Runs in Windows and listens on the pipe as the relay does: listen.cjs <file for the received captures> <mode>
// In the mode 'deaf' it never answers and reads nothing.
const { appendFileSync } = require('node:fs');
const net = require('node:net');
const path = require('node:path');

const [, , file, mode] = process.argv;
const PIPE = '\\\\.\\pipe\\lockstep';
const up = () => console.log('up');

if (mode === 'deaf') {
  net.createServer((connection) => connection.pause()).listen(PIPE, up);
} else {
  const { listenForCaptures } = require(
    path.resolve(__dirname, '../../../dist/capture/hand-over/listener.js'),
  );
  const ingest = async ({ account, password, capturedAt }) => {
    const text = password.use((bytes) => Buffer.from(bytes).toString('utf8'));
    appendFileSync(file, `${JSON.stringify({ account, password: text, capturedAt })}\n`);
    return null;
  };
  listenForCaptures(PIPE, 0o600, ingest).then(up, (error) => {
    console.log(error.message);
    process.exitCode = 1;
  });
}
