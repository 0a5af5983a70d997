import { networkOf, reachableAddresses } from './public-addresses';

describe('an address that a message may go to', () => {
  const isPublic = reachableAddresses([]);

  it.each(['93.184.215.14', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450:4001:81b::200e'])(
    'is a public one: %s',
    (address) => expect(isPublic(address)).toBe(true),
  );

  it.each([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '192.0.2.1',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:93.184.215.14',
    '::ffff:0:7f00:1',
    '::ffff:0:169.254.169.254',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    'fe80::1%eth0',
    'localhost',
    '',
    '127.1',
    '0x7f000001',
  ])('is none that leads elsewhere, nor what isn’t an address: %s', (address) => expect(isPublic(address)).toBe(false));

  it('is one in a network that is named', () => {
    const allowed = reachableAddresses([networkOf('10.20.0.0/16') as never, networkOf('fd00:1::/48') as never]);
    expect(['10.20.255.1', '10.21.0.1', 'fd00:1::5', 'fd00:2::5', '127.0.0.1', '1.1.1.1'].map(allowed)).toEqual([
      true,
      false,
      true,
      false,
      false,
      true,
    ]);
  });

  it.each(['10.0.0.0', '10.0.0.0/33', '10.0.0/8', 'fd00::/129', '10.0.0.0/8/8', 'a/8', '10.0.0.0/-1', '10.0.0.0/8.0'])(
    'is in no network such as %s',
    (text) => expect(networkOf(text)).toBeNull(),
  );
});
