import { lastingIds, userNaming } from '../http/naming';

/** PingOne compares usernames and attributes without case, except externalId, and never uses an id again. */
export const naming = userNaming(lastingIds, ['externalId']);
