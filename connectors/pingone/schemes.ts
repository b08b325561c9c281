import type { Scheme } from '../../model/hashes/encoding';

/** Schemes of the pre-encoded passwords that PingOne accepts. Source: PingOne Platform API, password encoding. */
export const pingOneSchemes = ['ssha512', 'ssha384', 'ssha256', 'ssha'] as const satisfies Scheme[];
