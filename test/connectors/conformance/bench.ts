import { randomBytes } from 'node:crypto';
import type { Connector } from '../../../connectors/contract';
import { connectorKinds } from '../../../connectors/registry';
import type { Trial } from '../../../connectors/trial/cases';
import { Secret } from '../../../model/passwords/secret';
import { type Impostor, startImpostor } from '../../support/impostor';
import { type Address, type ServerProxy, startProxy } from '../../support/proxy';
import { asking } from '../requests';
import type { Settings, Subject, TestAccount } from './subject';

/** The tools of the promises. Everything that it opens is closed after the suite. */
export interface Bench {
  readonly subject: Subject;
  /** Registers a test. If `skips` of the subject names its title, the test is skipped with the reason in the title. */
  readonly promise: (title: string, body: () => Promise<void>) => void;
  /** Opens a connector directly to the server. */
  readonly direct: (changes?: Settings) => Promise<Connector>;
  /** Opens a connector to another address. */
  readonly at: (address: Address, changes?: Settings) => Promise<Connector>;
  /** Opens a connector to the server through a proxy of its own. */
  readonly proxied: (changes?: Settings) => Promise<{ connector: Connector; proxy: ServerProxy }>;
  /** Starts a server that pretends to be the real one. */
  readonly impostor: () => Promise<Impostor>;
  /** Throws if `skips` of the subject names a title that no promise has. */
  readonly everySkipIsKnown: () => void;
}

export function benchOf(subject: Subject): Bench {
  const closers: (() => Promise<void>)[] = [];
  const titles = new Set<string>();
  afterAll(async () => {
    for (const close of closers) await close();
  });
  const at = async (address: Address, changes: Settings = {}) => {
    const kind = connectorKinds.get(subject.kind);
    if (kind === undefined) throw new Error(`No connector kind ${subject.kind}`);
    const resolve = (reference: string) => Secret.fromText(subject.secrets[reference] ?? '');
    const connector = await kind.open(
      { ...subject.settings(address), ...changes },
      { resolve, commandDir: subject.commandDir, mailbox: subject.mailbox },
    );
    closers.push(() => connector.close());
    return watched(connector, subject);
  };
  return {
    subject,
    promise(title, body) {
      titles.add(title);
      const reason = subject.skips[title];
      if (reason === undefined) test(title, body);
      else test.skip(`${title} (skipped: ${reason})`, body);
    },
    direct: (changes) => at(subject.server, changes),
    at,
    async proxied(changes) {
      const proxy = await startProxy(subject.server);
      closers.push(() => proxy.stop());
      return { connector: await at(proxy.address, changes), proxy };
    },
    async impostor() {
      const impostor = await startImpostor(subject.beforeTls);
      closers.push(() => impostor.stop());
      return impostor;
    },
    everySkipIsKnown() {
      const unknown = Object.keys(subject.skips).filter((title) => !titles.has(title));
      if (unknown.length > 0)
        throw new Error(`The subject skips promises that do not exist: ${unknown.join('; ')}`);
    },
  };
}

/** Returns a hook of the subject. @throws if the subject does not have it */
export function needed<T>(hook: T | undefined, name: string): T {
  if (hook === undefined) throw new Error(`The subject has no "${name}" and gives no reason why`);
  return hook;
}

const usedPasswords: string[] = [];

/** Returns a new random password that every policy of the test servers accepts. */
export function freshPassword(): string {
  return remembered(`Keep-${randomBytes(9).toString('base64url')}-7!`);
}

/** Remembers a password, so that an answer of a connector which contains it fails the test. */
export function remembered(password: string): string {
  if (password !== '') usedPasswords.push(password);
  return password;
}

/** Wraps a connector, so that each of its answers is searched for every password of this run. */
function watched(connector: Connector, { writeOf }: Subject): Connector {
  const clean = async <T>(request: Promise<T>): Promise<T> => {
    const answer = await request;
    const text = JSON.stringify(answer ?? null);
    const leaks = usedPasswords.some((password) =>
      text.includes(JSON.stringify(password).slice(1, -1)),
    );
    if (leaks) throw new Error('An answer of the connector contains a password');
    return answer;
  };
  return {
    find: (request) => clean(connector.find(request)),
    list: (request) => clean(connector.list(request)),
    state: (request) => clean(connector.state(request)),
    setPassword: async (request) => {
      const of = writeOf && { of: await writeOf(request.account) };
      return clean(connector.setPassword({ ...request, ...of, salt: request.salt }));
    },
    verify: (request) => clean(connector.verify(request)),
    check: () => clean(connector.check()),
    ...(connector.act && { act: (request) => clean(needed(connector.act, 'act')(request)) }),
    close: () => connector.close(),
  };
}

/** The environment for the cases that authors of connectors run too. Here logins use an independent client. */
export function trialOf(subject: Subject, connector: () => Connector): Trial {
  return {
    account: subject.account,
    absent: () => subject.absent('nobody'),
    mayRefuse: false,
    freshPassword,
    write: (ref, password) => write(connector(), { ref }, password),
    verify: (ref, password) => verify(connector(), { ref }, password),
    find: (key) => connector().find({ match: { [subject.findBy]: key }, limit: 10 }),
    state: (account) => connector().state({ account }),
    logsIn: subject.logsIn,
  };
}

export async function write(
  connector: Connector,
  account: Pick<TestAccount, 'ref'>,
  password: string,
) {
  const secret = Secret.fromText(remembered(password));
  try {
    return await connector.setPassword(asking(account.ref, secret));
  } finally {
    secret.destroy();
  }
}

export async function verify(
  connector: Connector,
  account: Pick<TestAccount, 'ref'>,
  password: string,
) {
  const secret = Secret.fromText(remembered(password));
  try {
    return await connector.verify(asking(account.ref, secret));
  } finally {
    secret.destroy();
  }
}
