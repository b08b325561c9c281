import { foldAscii } from '../../model/people/fold-case';
import { lastingIds, userNaming } from '../http/naming';

/** How the users of a tenant are distinguished. An object id is a UUID, which is compared without regard to case. */
export const naming = {
  ...userNaming(lastingIds, ['onPremisesImmutableId']),
  canonicalId: foldAscii,
};
