import { BlockList, isIP, isIPv4 } from 'node:net';

/**
 * Addresses that lead to no public host: the special-purpose registries of IANA (RFC 6890 and its successors), multicast, and the ranges
 * of IPv6 that have an IPv4 address in them, which would lead around this list.
 */
const special: readonly (readonly [address: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
  ['::', 96],
  ['::ffff:0:0', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
];

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv4(address) ? 'ipv4' : 'ipv6');

/** Says of an address whether it is in one of these networks. Each kind of address by itself: for a list of both, IPv4 is within `::ffff:0:0/96`. */
const isWithin = (networks: readonly (readonly [address: string, prefix: number])[]): ((address: string) => boolean) => {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const [address, prefix] of networks) lists[familyOf(address)].addSubnet(address, prefix, familyOf(address));
  return (address) => lists[familyOf(address)].check(address, familyOf(address));
};
const isSpecial = isWithin(special);

/** A network as it is written, `10.20.0.0/16`, as address and prefix; null where it is none. */
export const networkOf = (text: string): readonly [address: string, prefix: number] | null => {
  const [address = '', prefix = '', ...rest] = text.split('/');
  if (isIP(address) === 0 || !/^\d{1,3}$/.test(prefix) || rest.length > 0) return null;
  return Number(prefix) <= (isIPv4(address) ? 32 : 128) ? [address, Number(prefix)] : null;
};

/** Says of an address whether a message may go there: it is public, or in one of these networks. */
export const reachableAddresses = (
  networks: readonly (readonly [address: string, prefix: number])[],
): ((address: string) => boolean) => {
  const isAllowed = isWithin(networks);
  return (address) => isIP(address) !== 0 && (isAllowed(address) || !isSpecial(address));
};
