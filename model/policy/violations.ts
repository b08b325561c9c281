import { withCodePoints } from '../passwords/code-points';
import type { Secret } from '../passwords/secret';
import { brokenRules, type Known, nothingKnown, type Violation } from './checks';
import type { PolicyRules } from './presets';

/** Every rule that the password breaks, so that a person sees all of them at once. */
export const violations = (
  rules: PolicyRules,
  password: Secret,
  known: Known = nothingKnown,
): Violation[] => withCodePoints(password, (points) => brokenRules(rules, points, known));
