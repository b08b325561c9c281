import { BlockList, isIP, isIPv4 } from 'node:net';

/**
 * Networks that hold no public host: this machine, private networks, the metadata service of a cloud. Source: IANA
 * special-purpose address registries. The configuration can name any host, so these need explicit permission.
 */
const special: readonly string[] = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
  ...['172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.168.0.0/16', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  ...['::/127', '64:ff9b:1::/48', '100::/64', '2001:db8::/32', 'fc00::/7', 'fe80::/10'],
  ...['fec0::/10', 'ff00::/8'],
];

/** NAT64 (RFC 6052), 6to4 and Teredo: networks in which an IPv6 address contains an IPv4 address after these bits. */
const NAT64_BITS = 96;
const TUNNELS = ['2002::/16', '2001::/32'];

const isSpecial = listOf([...special, ...TUNNELS, ...special.flatMap(behindNat64)]);

/** Whether Lockstep may connect to a host at the address to which its name has just been resolved. */
export type AddressGuard = (host: string, address: string) => boolean;

/** Creates a guard. @param allowed host names, addresses and networks that are allowed although they are not public */
export function guardOf(allowed: readonly string[]): AddressGuard {
  const names = new Set(
    allowed.filter((entry) => !isNetwork(entry)).map((entry) => entry.toLowerCase()),
  );
  const isAllowed = listOf(allowed.filter(isNetwork));
  return (host, address) =>
    !isSpecial(address) || isAllowed(address) || names.has(host.toLowerCase());
}

const isNetwork = (text: string): boolean => isIP(text.split('/')[0] ?? '') !== 0;

/** Returns a test for membership. IPv4 networks also match addresses such as ::ffff:10.0.0.1. */
function listOf(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const type = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, type);
    else list.addSubnet(address, Number(bits), type);
  }
  return (address) => list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

function behindNat64(network: string): string[] {
  const [address = '', bits] = network.split('/');
  return isIPv4(address) ? [`64:ff9b::${address}/${NAT64_BITS + Number(bits)}`] : [];
}
