import { environment } from '../config';
import type { SourceConfiguration } from '../model/configuration/document';
import type { Connector, ConnectorTools } from './contract';
import type { Mailbox } from './mailbox';
import { openReferences, type SecretPlaces } from './references';
import { connectorKinds } from './registry';
import { reportingSecrets } from './secret-findings';

export interface OpenConnectors {
  /** Returns the connector of a source. It is opened at the first use, kept, and opened again when settings change. */
  readonly of: (source: string, configuration: SourceConfiguration) => Promise<Connector>;
  /** Opens a connector for one check of settings that are not in force. The caller closes it. */
  readonly candidate: (
    source: Pick<SourceConfiguration, 'kind' | 'settings'>,
  ) => Promise<Connector>;
  /** The server that each source uses now, where it may have several. */
  readonly servers: () => Readonly<Record<string, string>>;
  close(): Promise<void>;
}

interface Entry {
  readonly settings: string;
  readonly connector: Promise<Connector>;
}

/** A replaced connector is closed after this time, when every step that still used it has ended. */
const DRAIN_MS = 60_000;

/**
 * @param places where the secrets of the sources are
 * @param mailboxOf the messages to the adapter of a source; without it, a source of the kind `pull` gets none
 */
export function openConnectors(
  places: SecretPlaces = environment,
  mailboxOf?: (source: string) => Mailbox,
): OpenConnectors {
  const resolve = openReferences(places);
  const entries = new Map<string, Entry>();
  const opened = new Map<string, Connector>();
  const draining = new Set<NodeJS.Timeout>();

  const drain = (entry: Entry) => {
    const timer = setTimeout(() => {
      draining.delete(timer);
      void entry.connector.then((connector) => connector.close()).catch(() => {});
    }, DRAIN_MS);
    timer.unref();
    draining.add(timer);
  };

  return {
    async of(source, { kind, settings }) {
      const wanted = JSON.stringify([kind, settings]);
      const current = entries.get(source);
      if (current?.settings === wanted) return current.connector;
      if (current !== undefined) drain(current);
      const connector = openKind(kind, settings, { resolve, mailbox: mailboxOf?.(source) });
      opened.delete(source);
      const entry = { settings: wanted, connector };
      connector.then(
        (ready) => entries.get(source) === entry && opened.set(source, ready),
        // A connector that fails to open is not kept: its settings may name a file that is created later.
        () => entries.get(source) === entry && entries.delete(source),
      );
      entries.set(source, entry);
      return connector;
    },
    candidate: ({ kind, settings }) => openKind(kind, settings, { resolve }),
    servers: () =>
      Object.fromEntries(
        [...opened].flatMap(([source, connector]) => {
          const server = connector.server?.() ?? null;
          return server === null ? [] : [[source, server]];
        }),
      ),
    async close() {
      for (const timer of draining) clearTimeout(timer);
      const open = [...entries.values()];
      entries.clear();
      opened.clear();
      await Promise.allSettled(open.map(async ({ connector }) => (await connector).close()));
    },
  };
}

async function openKind(
  kind: string,
  settings: unknown,
  tools: Pick<ConnectorTools, 'resolve' | 'mailbox'>,
): Promise<Connector> {
  const found = connectorKinds.get(kind);
  if (found === undefined) throw new Error(`There is no connector of the kind "${kind}"`);
  const all = { ...tools, commandDir: environment.LOCKSTEP_COMMAND_DIR };
  const given = settings as Readonly<Record<string, unknown>>;
  const references = Object.fromEntries(found.secretSettings.map((name) => [name, given[name]]));
  return reportingSecrets(await found.open(settings, all), references, all);
}
