import { credentialOrigins } from '../../model/change/credential-origin';
import type { MappingState } from '../../model/change/mapping';
import type { Mapping } from '../http/answers';

/** The text about the stored credential of an application: why it may be wrong, or how it came. */

type Credential = Pick<Mapping, 'state' | 'reason' | 'storedFrom'>;

const states: Readonly<Record<MappingState, string>> = {
  empty: 'no credential stored yet',
  in_sync: 'stored',
  out_of_sync: 'may differ from the account',
};

/** For the table of one person. */
export function credentialText(credential: Credential): string {
  const why = whyText(credential);
  return why === null ? states[credential.state] : `${states[credential.state]}: ${why}`;
}

/** For a list, whose filter has the same words. */
export function credentialState(credential: Credential): string {
  const why = whyText(credential);
  const state = credential.state.replaceAll('_', ' ');
  return why === null ? state : `${state} (${why})`;
}

function whyText({ state, reason, storedFrom }: Credential): string | null {
  if (reason !== null) return reason.replaceAll('_', ' ');
  // An API of an earlier release sends no origin, and one of a later release may send another.
  const isKnown = state === 'in_sync' && Object.hasOwn(credentialOrigins, storedFrom ?? '');
  return isKnown && storedFrom ? credentialOrigins[storedFrom].says : null;
}
