import { BlockList, isIP, isIPv4 } from 'node:net';

/**
 * Addresses that are no public host: of this machine, of a private network, of the metadata service of a cloud (IANA
 * special-purpose address registries). A connector that may be pointed anywhere must not reach them unasked.
 */
const special: readonly string[] = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
  ...['172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.168.0.0/16', '198.18.0.0/15'],
  ...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  ...['::/127', '64:ff9b:1::/48', '100::/64', '2001:db8::/32', 'fc00::/7', 'fe80::/10'],
  ...['fec0::/10', 'ff00::/8'],
];

/** Networks in which an IPv6 address stands for the IPv4 address behind these bits: NAT64 (RFC 6052), 6to4, Teredo. */
const NAT64_BITS = 96;
const TUNNELS = ['2002::/16', '2001::/32'];

const isSpecial = listOf([...special, ...TUNNELS, ...special.flatMap(behindNat64)]);

/** Whether a host may be connected to at an address that its name has just been resolved to. */
export type AddressGuard = (host: string, address: string) => boolean;

/** @param allowed host names, addresses and networks that may be reached although they are not public */
export function guardOf(allowed: readonly string[]): AddressGuard {
  const names = new Set(allowed.filter((one) => !isNetwork(one)).map((one) => one.toLowerCase()));
  const isAllowed = listOf(allowed.filter(isNetwork));
  return (host, address) =>
    !isSpecial(address) || isAllowed(address) || names.has(host.toLowerCase());
}

const isNetwork = (text: string): boolean => isIP(text.split('/')[0] ?? '') !== 0;

/** An IPv4 address that is written as IPv6 (::ffff:10.0.0.1) is found by the lists of IPv4. */
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
