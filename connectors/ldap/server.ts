import type { Entry } from 'ldapts';
import { search, textOf, valuesOf } from './accounts';
import type { Link } from './link';
import { type Vendor, vendorOf } from './vendors';

/** What a server says of itself. */
export interface Server {
  readonly vendor: Vendor;
  readonly version: string | null;
  /** OIDs. */
  readonly extensions: ReadonlySet<string>;
  readonly namingContexts: readonly string[];
}

/** One address may lead to several servers, and they are upgraded: what is known holds for one connection. */
const known = new WeakMap<Link, Server>();

/** The root DSE (RFC 4512 §5.1) of the server at the other end; one that may not be read tells nothing. */
export async function serverOf(link: Link): Promise<Server> {
  const met = known.get(link);
  if (met !== undefined) return met;
  const reply = await search(link, '', { scope: 'base', attributes: [...rootAttributes] });
  const [root = { dn: '' }] = reply.ok ? reply.value : [];
  const server = serverIn(root);
  known.set(link, server);
  return server;
}

const rootAttributes = [
  'vendorName',
  'vendorVersion',
  'supportedControl',
  'supportedExtension',
  'namingContexts',
] as const;

function serverIn(root: Entry): Server {
  const texts = (attribute: (typeof rootAttributes)[number]) =>
    valuesOf(root, attribute).map(String);
  return {
    vendor: vendorOf(textOf(root, 'vendorName'), new Set(texts('supportedControl'))),
    version: textOf(root, 'vendorVersion'),
    extensions: new Set(texts('supportedExtension')),
    namingContexts: texts('namingContexts'),
  };
}
