import type { LinkConflict } from '../../store/people/links';

export const conflictCode = (conflicts: readonly LinkConflict[]) =>
  conflicts.every(({ why }) => why === 'service_account') ? 'service_account' : 'account_linked';

/** Why an account was not linked. The sentence continues the name of the account. */
export function conflictSays({ name, why, linkedAs, linkedTo }: LinkConflict): string {
  const others = linkedAs.filter((other) => other !== name).map((other) => `"${other}"`);
  const as = others.length === 0 ? '' : `, as ${others.join(' and ')}`;
  return {
    service_account:
      'is an account with which Lockstep signs in, to this source or to another one; it is never linked',
    linked_to_another_person: `is linked to another person, ${linkedTo}${as}`,
    linked_twice: `is linked twice${as}; unlink one of them first`,
  }[why];
}
