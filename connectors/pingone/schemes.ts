import type { Scheme } from '../../model/hashes/encoding';

/** Pre-encoded passwords that PingOne takes in the form in which Lockstep carries them. Source: password encoding. */
export const pingOneSchemes = ['ssha512', 'ssha384', 'ssha256', 'ssha'] as const satisfies Scheme[];
