import type { Caller } from '../../store/api-keys';

/** The name of an API key in the audit and in columns such as `pausedBy`. */
export const actorOf = ({ keyId }: Caller): string => `api-key:${keyId}`;
