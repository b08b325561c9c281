import { withoutControls } from '../controls';
import type { Output } from '../output';

/** What something in a file of ENTSSO becomes in Lockstep. */
export interface Becomes {
  readonly line: number;
  /** What the file has. */
  readonly from: string;
  /** The path in the configuration; null if there is no counterpart. */
  readonly to: string | null;
  /** Why there is no counterpart, or what is left to do; null if nothing is. */
  readonly says: string | null;
}

/** One line for each part of the file. */
export const becomesLines = ({ paint }: Output, all: readonly Becomes[]): string[] => [
  ...all.map(({ line, from, to, says }) => {
    const target = to === null ? paint('yellow', 'no counterpart') : `→ ${to}`;
    const rest = says === null ? '' : `. ${says}`;
    return `line ${line}: ${withoutControls(from)} ${target}${rest}`;
  }),
  '',
];
