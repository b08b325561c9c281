import { sql } from 'kysely';
import type { Role } from '../../model/change/change';

/** Selects outcomes of a change: all of one role in a source, or a single one by its label. */
export type Chosen =
  | { readonly source: string; readonly role: Role }
  | { readonly source: string; readonly label: string };

/** Whether `chosen` selects this outcome. */
export const isChosen = (
  chosen: Chosen,
  outcome: { readonly source: string; readonly role: Role; readonly label: string },
): boolean =>
  'label' in chosen
    ? outcome.label === chosen.label
    : outcome.source === chosen.source && outcome.role === chosen.role;

/** The same condition for a statement on `outcome`. */
export const whereChosen = (chosen: Chosen) =>
  'label' in chosen
    ? sql`label = ${chosen.label}`
    : sql`source = ${chosen.source} and role = ${chosen.role}`;
