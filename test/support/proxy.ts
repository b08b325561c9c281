import net, { type AddressInfo, type Socket } from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What happens to a connection whose reply was lost. */
export type AfterLoss = 'cut' | 'hang';

/** A fault that happens once, on the first connection that reaches it. */
export interface Armed {
  readonly happened: () => boolean;
}

/**
 * A TCP proxy on loopback in front of a real server. It causes faults that a test cannot wait for: a server that is down or
 * silent, or a connection that is lost between a request and its reply. It forwards bytes only, so TLS stays end to end.
 */
export interface ServerProxy {
  readonly address: Address;
  /** Forwards everything, which is also the initial state. */
  pass(): Promise<void>;
  /** Stops listening; open connections stay. */
  refuse(): Promise<void>;
  /** Accepts and keeps connections but forwards no byte. */
  silence(): void;
  /** Ends every open connection. */
  cut(): void;
  /** Drops the reply of the n-th request from now on, after the server has served it. */
  loseReply(nth: number, after: AfterLoss): Armed;
  /** Ends the connection instead of forwarding its n-th request from now on. */
  cutBeforeRequest(nth: number): Armed;
  /** Number of connections accepted so far. */
  readonly accepted: () => number;
  stop(): Promise<void>;
}

/**
 * The proxy counts turns, not packets: bytes that follow bytes of the other side start a new request or reply. A TLS handshake
 * counts as well. Pipelined requests would count as one, but the clients of Lockstep do not pipeline.
 */
type Side = 'client' | 'server';

interface Trap {
  readonly side: Side;
  readonly after: AfterLoss;
  /** Turns until the fault happens; 0 after it has happened. */
  left: number;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  last: Side | null;
  /** Whether bytes were dropped, after which nothing else may be forwarded. */
  deaf: boolean;
}

export async function startProxy(target: Address): Promise<ServerProxy> {
  const pairs = new Set<Pair>();
  const traps = new Set<Trap>();
  let silent = false;
  let accepted = 0;
  let port = 0;

  const cutPair = (pair: Pair) => {
    pair.client.destroy();
    pair.server.destroy();
    pairs.delete(pair);
  };

  /** Whether the next bytes of a side are forwarded. */
  const admits = (pair: Pair, from: Side): boolean => {
    if (silent) pair.deaf = true;
    if (pair.deaf) return false;
    if (pair.last === from) return true;
    pair.last = from;
    for (const trap of traps) {
      if (trap.side !== from || --trap.left > 0) continue;
      traps.delete(trap);
      pair.deaf = true;
      if (trap.after === 'cut') cutPair(pair);
    }
    return !pair.deaf;
  };

  const listener = net.createServer((client) => {
    accepted++;
    const pair: Pair = { client, server: net.connect(target), last: null, deaf: false };
    pairs.add(pair);
    carry(pair, 'client', admits, cutPair);
    carry(pair, 'server', admits, cutPair);
  });

  const arm = (trap: Trap): Armed => {
    traps.add(trap);
    return { happened: () => trap.left === 0 };
  };

  const proxy: ServerProxy = {
    get address() {
      return { host: '127.0.0.1', port };
    },
    async pass() {
      silent = false;
      traps.clear();
      if (!listener.listening) port = await listen(listener, port);
    },
    refuse: () => unlisten(listener),
    silence() {
      silent = true;
    },
    cut: () => pairs.forEach(cutPair),
    loseReply: (nth, after) => arm({ side: 'server', after, left: nth }),
    cutBeforeRequest: (nth) => arm({ side: 'client', after: 'cut', left: nth }),
    accepted: () => accepted,
    async stop() {
      pairs.forEach(cutPair);
      await unlisten(listener);
    },
  };
  await proxy.pass();
  return proxy;
}

function carry(
  pair: Pair,
  from: Side,
  admits: (pair: Pair, from: Side) => boolean,
  end: (pair: Pair) => void,
): void {
  const [source, sink] =
    from === 'client' ? [pair.client, pair.server] : [pair.server, pair.client];
  source.setNoDelay(true);
  source.on('data', (bytes) => {
    if (admits(pair, from)) sink.write(bytes);
  });
  // A hanging connection stays open on the client's side even if the server closes it.
  source.on('close', () => {
    if (from === 'client' || !pair.deaf) end(pair);
  });
  source.on('error', () => source.destroy());
}

function listen(listener: net.Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(port, '127.0.0.1', () => {
      listener.removeListener('error', reject);
      resolve((listener.address() as AddressInfo).port);
    });
  });
}

/** Stops listening without waiting for open connections to end. */
function unlisten(listener: net.Server): Promise<void> {
  return new Promise((resolve) => {
    if (!listener.listening) return resolve();
    listener.close();
    resolve();
  });
}
