import net from 'node:net';
import { encodeMessage, type HandedOver, type HandOverRefusal, refusals } from './protocol';

const ANSWER_MS = 10_000;

/**
 * Hands a capture over to the relay of this machine.
 * @returns null if the relay has stored the capture durably, otherwise its refusal
 * @throws Error with a system error code if the relay cannot be reached or does not answer
 */
export async function handOver(
  socket: string,
  capture: HandedOver,
): Promise<HandOverRefusal | null> {
  const message = encodeMessage(capture);
  try {
    return await send(socket, message);
  } finally {
    message.fill(0);
  }
}

const send = (socket: string, message: Buffer): Promise<HandOverRefusal | null> =>
  new Promise((resolve, reject) => {
    let answer = '';
    const connection = net.connect(socket, () => connection.write(message));
    connection.setTimeout(ANSWER_MS, () =>
      connection.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })),
    );
    connection.on('data', (chunk) => {
      answer += chunk.toString('latin1');
      if (!answer.endsWith('\n')) return;
      connection.end();
      const word = answer.slice(1, -1);
      if (answer === '+\n') resolve(null);
      else if (answer.startsWith('-') && Object.hasOwn(refusals, word))
        resolve(word as HandOverRefusal);
      else reject(Object.assign(new Error('not a relay'), { code: 'EPROTO' }));
    });
    connection.once('error', reject);
    connection.once('close', () =>
      reject(Object.assign(new Error('no answer'), { code: 'ECONNRESET' })),
    );
  });
