/** The point from which the changes of a source are captured. */
export type Startpoint =
  /** Every change that the source still has. */
  | { readonly from: 'begin' }
  /** Changes from now on. */
  | { readonly from: 'end' }
  /** Changes after this cursor, which is the source's own name for a change. */
  | { readonly from: 'cursor'; readonly cursor: string }
  /** Changes at this time or later, by the clock of the source. */
  | { readonly from: 'time'; readonly at: Date };

/** A startpoint that an operator has set. A later one has a larger number. */
export interface NumberedStartpoint {
  readonly number: number;
  readonly startpoint: Startpoint;
}
