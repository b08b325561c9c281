import net, { type AddressInfo, type Socket } from 'node:net';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What becomes of a connection whose reply was lost. */
export type AfterLoss = 'cut' | 'hang';

/** Something armed, which happens once, on whichever connection comes to it first. */
export interface Armed {
  readonly happened: () => boolean;
}

/**
 * A TCP proxy in front of a real server, on loopback, that makes the outcomes that nobody can wait for: a server that
 * is away, silent, or lost between a request and its reply. It sees only bytes, so TLS stays end to end.
 */
export interface ServerProxy {
  readonly address: Address;
  /** Everything goes through again, also for new connections. As it is at the start. */
  pass(): Promise<void>;
  /** Nobody listens on the port any more; open connections stay. */
  refuse(): Promise<void>;
  /** Connections are accepted and stay open, but not a byte goes through. */
  silence(): void;
  /** Ends every open connection now. */
  cut(): void;
  /** The server gets and serves the n-th request from now on, and nobody hears its reply. */
  loseReply(nth: number, after: AfterLoss): Armed;
  /** The connection ends in place of its n-th request from now on. */
  cutBeforeRequest(nth: number): Armed;
  /** How many connections were accepted so far. */
  readonly accepted: () => number;
  stop(): Promise<void>;
}

/**
 * Counts turns, not packets: bytes that follow bytes of the other side begin a new request or reply, however many
 * packets it takes. A TLS handshake counts too; a client that pipelines would be counted short, and ours do not.
 */
type Side = 'client' | 'server';

interface Trap {
  readonly side: Side;
  readonly after: AfterLoss;
  /** Turns until it springs; 0 when it has sprung. */
  left: number;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  last: Side | null;
  /** Bytes were dropped, so nothing after them may go through either. */
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

  /** Whether these bytes may go on. */
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
  // A connection that hangs stays open on the client's side, whatever the server does.
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

/** Stops listening without waiting for the connections that are open. */
function unlisten(listener: net.Server): Promise<void> {
  return new Promise((resolve) => {
    if (!listener.listening) return resolve();
    listener.close();
    resolve();
  });
}
