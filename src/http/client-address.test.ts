import fc from 'fast-check';
import { addressIn, clientOf, isForwarded, trustIn } from './client-address';

describe('the address that a proxy wrote', () => {
  it.each([
    ['198.51.100.21', '198.51.100.21'],
    [' 198.51.100.21 ', '198.51.100.21'],
    ['198.51.100.21:50000', '198.51.100.21'],
    ['::ffff:198.51.100.21', '198.51.100.21'],
    ['[::ffff:198.51.100.21]:443', '198.51.100.21'],
    ['::ffff:c633:6415', '198.51.100.21'],
    ['0:0:0:0:0:FFFF:198.51.100.21', '198.51.100.21'],
    ['2001:DB8:1::8', '2001:db8:1:0:0:0:0:8'],
    ['[2001:db8:1::8]', '2001:db8:1:0:0:0:0:8'],
    ['[2001:db8:1::8]:50000', '2001:db8:1:0:0:0:0:8'],
    ['fe80::1%eth0', 'fe80:0:0:0:0:0:0:1'],
    ['::', '0:0:0:0:0:0:0:0'],
    ['64:ff9b::198.51.100.21', '64:ff9b:0:0:0:0:c633:6415'],
    ['unknown', null],
    ['_hidden', null],
    ['', null],
    ['198.51.100.256', null],
    ['198.51.100.21:', null],
    ['198.51.100.21:123456', null],
    ['[198.51.100.21', null],
    ['2001:db8:1::8:50000:x', null],
    ['localhost', null],
    ['198.51.100.21, 10.0.0.1', null],
  ])('%s is %s', (text, expected) => expect(addressIn(text)).toBe(expected));

  it('is the same however an IPv6 address is shortened', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const found = addressIn(address) as string;
        expect(addressIn(`[${address.toUpperCase()}]:1`)).toBe(found);
        expect(addressIn(found)).toBe(found);
      }),
    );
  });
});

describe('who a request is counted for', () => {
  it.each([
    [{ ip: '203.0.113.9' }, '203.0.113.9'],
    [{ ip: '::ffff:203.0.113.9' }, '203.0.113.9'],
    [{ ip: 'x', ips: ['127.0.0.1', '203.0.113.9:1'] }, '203.0.113.9'],
    [{ ip: 'x', ips: ['127.0.0.1', '203.0.113.9:2'] }, '203.0.113.9'],
    [{ ip: 'x', ips: ['127.0.0.1', '2001:db8:1:2:3::1'] }, '2001:db8:1:2::/64'],
    [{ ip: 'x', ips: ['127.0.0.1', '[2001:db8:1:2:ffff::9]:5'] }, '2001:db8:1:2::/64'],
    [{ ip: 'x', ips: ['127.0.0.1', 'unknown'] }, '127.0.0.1'],
    [{ ip: 'x', ips: ['10.0.0.1', '10.0.0.2', 'a.b.c.d'] }, '10.0.0.2'],
  ])('%j is %s', (request, expected) => expect(clientOf(request)).toBe(expected));
});

describe('a trusted proxy', () => {
  it('is one of the list, with or without its port', () => {
    const trusts = trustIn(['10.1.0.0/16', '192.0.2.7', '2001:db8::/32']);
    for (const address of ['10.1.2.3', '10.1.2.3:8080', '::ffff:10.1.2.3', '192.0.2.7', '2001:db8::1', '[2001:db8::1]:80'])
      expect([address, trusts(address)]).toEqual([address, true]);
    for (const address of ['10.2.0.1', '192.0.2.8', '2001:db9::1', 'unknown', '', '127.0.0.1'])
      expect([address, trusts(address)]).toEqual([address, false]);
  });

  it('may be named by the kind of its network', () => {
    expect(['127.0.0.1', '::1', '10.0.0.1'].map(trustIn(['loopback']))).toEqual([true, true, false]);
    expect(['10.0.0.1', 'fd00::1', '8.8.8.8'].map(trustIn(['uniquelocal']))).toEqual([true, true, false]);
    expect(['169.254.1.1', 'fe80::1', '10.0.0.1'].map(trustIn(['linklocal']))).toEqual([true, true, false]);
    expect(trustIn([])('127.0.0.1')).toBe(false);
  });
});

test('a request is forwarded where any proxy says so', () => {
  for (const name of [
    'forwarded',
    'via',
    'x-forwarded-for',
    'x-forwarded',
    'x-real-ip',
    'cf-connecting-ip',
    'x-original-forwarded-for',
    'x-vercel-forwarded-for',
    'x-cluster-client-ip',
    'true-client-ip',
    'client-ip',
    'fastly-client-ip',
    'fly-client-ip',
    'wl-proxy-client-ip',
    'x-azure-clientip',
    'x-appengine-user-ip',
    'x-proxyuser-ip',
    'x-nf-client-connection-ip',
    'x-remote-addr',
    'cdn-loop',
  ])
    expect([name, isForwarded({ [name]: '' })]).toEqual([name, true]);
  const ofBrowsers = ['host', 'user-agent', 'x-request-id', 'sec-ch-ua', 'accept', 'origin', 'referer', 'cookie', 'connection'];
  for (const name of ofBrowsers) expect([name, isForwarded({ [name]: 'x' })]).toEqual([name, false]);
});
