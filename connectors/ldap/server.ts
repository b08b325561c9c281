import type { Entry } from 'ldapts';
import { search, textOf, valuesOf } from './accounts';
import type { Link } from './link';
import { type Vendor, vendorOf } from './vendors';

/** What a server publishes about itself in its root DSE. */
export interface Server {
  readonly vendor: Vendor;
  readonly version: string | null;
  /** OIDs of the controls that the server supports. */
  readonly controls: ReadonlySet<string>;
  /** OIDs of the extended operations that the server supports. */
  readonly extensions: ReadonlySet<string>;
  readonly namingContexts: readonly string[];
}

/** Cache by connection: an address may lead to several servers, and a server may be upgraded between connections. */
const servers = new WeakMap<Link, Server>();

/**
 * Reads the root DSE (RFC 4512 §5.1) of the server at the other end. If the service account may not read it, the server
 * is treated as a plain LDAPv3 server.
 */
export async function serverOf(link: Link): Promise<Server> {
  const cached = servers.get(link);
  if (cached !== undefined) return cached;
  const reply = await search(link, '', { scope: 'base', attributes: [...rootAttributes] });
  const [root = { dn: '' }] = reply.ok ? reply.value : [];
  const server = serverIn(root);
  servers.set(link, server);
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
  const controls = new Set(texts('supportedControl'));
  return {
    vendor: vendorOf(textOf(root, 'vendorName'), controls),
    controls,
    version: textOf(root, 'vendorVersion'),
    extensions: new Set(texts('supportedExtension')),
    namingContexts: texts('namingContexts'),
  };
}
