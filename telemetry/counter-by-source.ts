import { Counter, type CounterConfiguration } from 'prom-client';

type Prune = (known: ReadonlySet<string>) => Promise<void>;

const prunes: Prune[] = [];

/** The label of a source that the configuration does not have. */
export const UNKNOWN_SOURCE = 'unknown';

/** Makes a counter with the label `source`. Its series end when the configuration no longer has their source. */
export function counterBySource<Label extends string>(
  configuration: CounterConfiguration<Label> & { readonly labelNames: readonly Label[] },
): Counter<Label> {
  const counter = new Counter<Label>(configuration);
  prunes.push(async (known) => {
    for (const { labels } of (await counter.get()).values) {
      const { source } = labels as { readonly source?: string };
      if (source !== undefined && !known.has(source)) counter.remove(labels);
    }
  });
  return counter;
}

/** Ends the series of every source but these. */
export async function keepSeriesOf(sources: readonly string[]): Promise<void> {
  const known = new Set([...sources, UNKNOWN_SOURCE]);
  for (const prune of prunes) await prune(known);
}
