import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { FastifyRequest } from 'fastify';

/** The eight groups of an IPv6 address. */
const groupsOf = (address: string): readonly number[] => {
  // The last 32 bits may be written as an IPv4 address.
  const plain = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = [], tail] = plain.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...(tail ?? [])].map((group) => Number.parseInt(group, 16));
};

/**
 * The address in what a proxy wrote into X-Forwarded-For: without port, brackets and zone, and IPv4 in its own form where it
 * came mapped into IPv6 (RFC 4291, 2.5.5.2). Null for what is no address.
 */
export const addressIn = (text: string): string | null => {
  const trimmed = text.trim();
  const [, bracketed] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(trimmed) ?? [];
  const [, withPort] = /^([\d.]+):\d{1,5}$/.exec(trimmed) ?? [];
  const address = (bracketed ?? withPort ?? trimmed).replace(/%.*$/, '');
  if (isIPv4(address)) return address;
  if (!isIPv6(address)) return null;
  const groups = groupsOf(address);
  const [high = 0, low = 0] = groups.slice(6);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  return groups.map((group) => group.toString(16)).join(':');
};

const named: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** Whether an address is one of these proxies: addresses, ranges, and the names of the configuration. */
export const trustIn = (proxies: readonly string[]): ((address: string) => boolean) => {
  const list = new BlockList();
  for (const proxy of proxies.flatMap((each) => named[each] ?? [each])) {
    const [address = '', bits] = proxy.split('/');
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (text) => {
    const address = addressIn(text);
    return address !== null && list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  };
};

/** Who an address is counted as: an IPv4 address, or a network of 64 bits, which is the least that a provider gives one customer. */
export const networkOf = (address: string): string =>
  address.includes(':') ? `${address.split(':').slice(0, 4).join(':')}::/64` : address;

/** The farthest address that is believed, from the connection on; undefined where a trusted proxy wrote none. */
const farthestOf = ({ ip, ips }: Pick<FastifyRequest, 'ip' | 'ips'>): string | undefined =>
  [...(ips ?? [ip])]
    .reverse()
    .map(addressIn)
    .find((address) => address !== null) ?? undefined;

/** Where a request comes from, as widely as one place has its addresses: 24 bits of an IPv4 address, 48 of an IPv6 one. Null where nobody knows. */
export const surroundingsOf = (request: Pick<FastifyRequest, 'ip' | 'ips'>): string | null => {
  const farthest = farthestOf(request);
  if (farthest === undefined) return null;
  return farthest.includes(':') ? `${farthest.split(':').slice(0, 3).join(':')}::` : farthest.replace(/\d+$/, '0');
};

/** Who a request is counted for, for every limiter. What a trusted proxy wrote and is no address counts as the proxy's own. */
export const clientOf = (request: Pick<FastifyRequest, 'ip' | 'ips'>): string => {
  const farthest = farthestOf(request);
  return farthest === undefined ? 'unknown' : networkOf(farthest);
};

/** What proxies say, each in words of its own: that they pass a request on, and for whom. */
const forwarding =
  /^(?:via|cdn-loop|cf-ray|x-original-.*|x-envoy-external-address|x-azure-socketip)$|forwarded|(?:client|real|user|remote|source)-?(?:ip|addr)|connect(?:ing|ion)-ip/;

/** Some proxy says that it passes the request on for somebody. */
export const isForwarded = (headers: FastifyRequest['headers']): boolean =>
  Object.keys(headers).some((name) => forwarding.test(name));
