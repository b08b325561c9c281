import { isUuid } from '../../model/people/uuid';
import { userNaming } from '../http/naming';

/**
 * RFC 7643 §3.1 makes `id` and `externalId` case-exact, and §4.1 ignores the case of `userName` and of the other attributes.
 * An id need not be unique over time (§3.1): a server that counts can give the number of a deleted user to a new one.
 */
export const naming = userNaming(isUuid, ['id', 'externalId']);
