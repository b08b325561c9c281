import { sql } from 'kysely';
import type { Role } from '../../model/change/change';

/** Selects outcomes of a change: all of one role in a source, or some of it by their labels. */
export type Chosen =
  | { readonly source: string; readonly role: Role }
  | { readonly source: string; readonly label: string }
  | { readonly source: string; readonly labels: readonly string[] };

/** Whether `chosen` selects this outcome. */
export function isChosen(
  chosen: Chosen,
  outcome: { readonly source: string; readonly role: Role; readonly label: string },
): boolean {
  if ('role' in chosen) return outcome.source === chosen.source && outcome.role === chosen.role;
  return labelsOf(chosen).includes(outcome.label);
}

/** The same condition for a statement on `outcome`. */
export const whereChosen = (chosen: Chosen) =>
  'role' in chosen
    ? sql`source = ${chosen.source} and role = ${chosen.role}`
    : sql`label = any(${[...labelsOf(chosen)]}::text[])`;

const labelsOf = (chosen: Exclude<Chosen, { readonly role: Role }>): readonly string[] =>
  'label' in chosen ? [chosen.label] : chosen.labels;
