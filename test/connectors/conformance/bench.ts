import { randomBytes } from 'node:crypto';
import type { Connector } from '../../../connectors/contract';
import { connectorKinds } from '../../../connectors/registry';
import type { Trial } from '../../../connectors/trial/cases';
import { Secret } from '../../../model/passwords/secret';
import { type Impostor, startImpostor } from '../../support/impostor';
import { type Address, type ServerProxy, startProxy } from '../../support/proxy';
import { asking } from '../requests';
import type { Settings, Subject, TestAccount } from './subject';

/** What every promise works with. */
export interface Bench {
  readonly subject: Subject;
  /** A test, or a test that is skipped with the reason in its title. */
  readonly promise: (title: string, body: () => Promise<void>) => void;
  /** A connector straight to the server. Closed at the end, like every other. */
  readonly direct: (changes?: Settings) => Promise<Connector>;
  /** A connector to something else in the place of the server. */
  readonly at: (address: Address, changes?: Settings) => Promise<Connector>;
  /** A connector through a proxy of its own. */
  readonly proxied: (changes?: Settings) => Promise<{ connector: Connector; proxy: ServerProxy }>;
  /** Somebody else in the place of the server. */
  readonly impostor: () => Promise<Impostor>;
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
      { resolve, commandDir: subject.commandDir },
    );
    closers.push(() => connector.close());
    return watched(connector);
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
      const strange = Object.keys(subject.skips).filter((title) => !titles.has(title));
      if (strange.length > 0) throw new Error(`Skips of no promise: ${strange.join('; ')}`);
    },
  };
}

/** A hook that the promise needs. */
export function needed<T>(hook: T | undefined, name: string): T {
  if (hook === undefined) throw new Error(`The subject has no "${name}" and gives no reason why`);
  return hook;
}

const given: string[] = [];

/** A password of its own for each use; every policy here takes it. */
export function freshPassword(): string {
  return remembered(`Keep-${randomBytes(9).toString('base64url')}-7!`);
}

/** From now on no answer may hold it. */
export function remembered(password: string): string {
  if (password !== '') given.push(password);
  return password;
}

/** A connector whose every answer is searched for every password of this run. */
function watched(connector: Connector): Connector {
  const clean = async <T>(request: Promise<T>): Promise<T> => {
    const answer = await request;
    const said = JSON.stringify(answer ?? null);
    const leaks = given.some((password) => said.includes(JSON.stringify(password).slice(1, -1)));
    if (leaks) throw new Error('An answer holds a password');
    return answer;
  };
  return {
    find: (request) => clean(connector.find(request)),
    list: (request) => clean(connector.list(request)),
    state: (request) => clean(connector.state(request)),
    setPassword: (request) => clean(connector.setPassword(request)),
    verify: (request) => clean(connector.verify(request)),
    check: () => clean(connector.check()),
    close: () => connector.close(),
  };
}

/** The cases that authors of connectors run too, here with an independent login. */
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
