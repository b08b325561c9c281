/** From where on the changes of a source are captured. */
export type Startpoint =
  /** All that the source still knows of. */
  | { readonly from: 'begin' }
  /** What happens from now on. */
  | { readonly from: 'end' }
  /** What came after this one, by the name that the source has for it. */
  | { readonly from: 'cursor'; readonly cursor: string }
  /** What happened then or later, by the clock of the source. */
  | { readonly from: 'time'; readonly at: Date };

/** One that an operator has set. Each has a larger number than those before it. */
export interface NumberedStartpoint {
  readonly number: number;
  readonly startpoint: Startpoint;
}
