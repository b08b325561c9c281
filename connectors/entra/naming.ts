import { lastingIds, userNaming } from '../http/naming';

/** Graph compares names and attributes without case; onPremisesImmutableId is base64. It never uses an object id again. */
export const naming = userNaming(lastingIds, ['onPremisesImmutableId']);
