import { createSocket } from 'node:dgram';
import type { SrvRecord } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** A DNS server on loopback that answers questions about SRV records (RFC 1035 §4.1, RFC 2782) and nothing else. */
export interface DnsServer {
  /** The records by their name. A name that is missing does not exist. */
  readonly records: Record<string, readonly SrvRecord[]>;
  resolveSrv(name: string): Promise<readonly SrvRecord[]>;
  close(): void;
}

export async function startDnsServer(): Promise<DnsServer> {
  const records: Record<string, readonly SrvRecord[]> = {};
  const socket = createSocket('udp4');
  socket.on('message', (question, { port, address }) => {
    const { name, end } = readName(question);
    const found = records[name] ?? [];
    const header = Buffer.alloc(12);
    question.copy(header, 0, 0, 2);
    // A response that is authoritative; code 3 is "no such name".
    header.writeUInt16BE(0x8400 | (found.length === 0 ? 3 : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(found.length, 6);
    const answer = [header, question.subarray(12, end + 4), ...found.map(answerOf)];
    socket.send(Buffer.concat(answer), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${(socket.address() as AddressInfo).port}`]);
  return {
    records,
    resolveSrv: (name) => resolver.resolveSrv(name),
    close: () => socket.close(),
  };
}

/** The name in the question, and where it ends. */
function readName(question: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), end: at + 1 };
}

function answerOf({ name, port, priority, weight }: SrvRecord): Buffer {
  const target = Buffer.concat(
    [...name.split('.'), ''].map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
  );
  const fixed = Buffer.alloc(18);
  // A pointer to the name in the question, type SRV, class IN, 60 seconds.
  fixed.writeUInt16BE(0xc00c, 0);
  fixed.writeUInt16BE(33, 2);
  fixed.writeUInt16BE(1, 4);
  fixed.writeUInt32BE(60, 6);
  fixed.writeUInt16BE(6 + target.length, 10);
  fixed.writeUInt16BE(priority, 12);
  fixed.writeUInt16BE(weight, 14);
  fixed.writeUInt16BE(port, 16);
  return Buffer.concat([fixed, target]);
}
