import { sql } from 'kysely';
import type { Role } from '../../model/change/change';

/** Which outcomes of a change: those of a role in a source, or one by its label. */
export type Chosen =
  | { readonly source: string; readonly role: Role }
  | { readonly source: string; readonly label: string };

export const isChosen = (
  chosen: Chosen,
  outcome: { readonly source: string; readonly role: Role; readonly label: string },
): boolean =>
  'label' in chosen
    ? outcome.label === chosen.label
    : outcome.source === chosen.source && outcome.role === chosen.role;

export const whereChosen = (chosen: Chosen) =>
  'label' in chosen
    ? sql`label = ${chosen.label}`
    : sql`source = ${chosen.source} and role = ${chosen.role}`;
