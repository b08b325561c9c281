import type { Part } from './gather';

/** Secrets that no file of Lockstep should contain. They are removed a second time, because a bundle leaves the company. */
const secrets: readonly (readonly [RegExp, string])[] = [
  [/lks_[0-9a-z]+_[\w-]+/g, '(API key removed)'],
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"]*:)[^\s@"]+@/gi, '$1(removed)@'],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, '(key removed)'],
];

export const withoutSecrets = (text: string): string =>
  secrets.reduce((rest, [found, instead]) => rest.replaceAll(found, instead), text);

const URL_HOST = /\b[a-z][a-z0-9+.-]*:\/\/(?:[^\s/@"]*@)?([a-z0-9.-]+|\[[0-9a-f:]+\])/gi;
const HOST_MEMBER = /"(?:host|hostname|serverName|address)":\s*"([^"]+)"/g;
const ADDRESS = /\b\d{1,3}(?:\.\d{1,3}){3}\b/g;

/**
 * Replaces the names and addresses of hosts by `host-1`, `host-2` and so on, the same one everywhere. Loopback stays.
 * @returns the function that replaces them in one text
 */
export function hostsReplacedIn(parts: readonly Part[]): (text: string) => string {
  const hosts = new Set<string>();
  for (const { content } of parts)
    for (const [pattern, group] of [
      [URL_HOST, 1],
      [HOST_MEMBER, 1],
      [ADDRESS, 0],
    ] as const)
      for (const match of content.matchAll(pattern))
        hosts.add((match[group] ?? '').split(':')[0] ?? '');
  const named = [...hosts].filter((host) => host !== '' && !isLoopback(host));
  const numbers = new Map(named.map((host, index) => [host, `host-${index + 1}`]));
  // A longer name first, because a shorter one may be a part of it.
  const order = named.toSorted((a, b) => b.length - a.length);
  return (text) =>
    order.reduce((rest, host) => rest.replaceAll(host, numbers.get(host) ?? ''), text);
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[' || /^127\./.test(host);
