import { lastingIds, userNaming } from '../http/naming';

/** Okta compares logins and attributes without case, and never uses an id again. */
export const naming = userNaming(lastingIds);
