import type { FastifyRequest } from 'fastify';
import { comesFromElsewhere, comesFromHere } from './same-origin';

const requestOf = (headers: Readonly<Record<string, string>>, remoteAddress = '127.0.0.1', host = headers.host ?? '') =>
  ({ headers, host, socket: { remoteAddress } }) as unknown as FastifyRequest;

const host = 'gateway.example:8080';
const own = 'http://gateway.example:8080';

describe('a request comes from another origin', () => {
  it.each([
    ['nothing is said', {}, false, false],
    ['it is said to be our own page', { 'sec-fetch-site': 'same-origin', origin: own }, false, false],
    ['it is said to be our own page that hides its origin', { 'sec-fetch-site': 'same-origin', origin: 'null' }, false, false],
    ['somebody typed the address', { 'sec-fetch-site': 'none' }, false, false],
    ['another site', { 'sec-fetch-site': 'cross-site' }, true, true],
    ['another port of the same site', { 'sec-fetch-site': 'same-site', origin: own }, true, true],
    ['a word that is none', { 'sec-fetch-site': 'Same-Origin' }, true, true],
    ['our origin, in an older browser', { origin: own }, false, false],
    ['our origin in other letters', { origin: 'http://GATEWAY.example:8080' }, false, false],
    ['our origin behind TLS that ends before us', { origin: 'https://gateway.example:8080' }, false, false],
    ['another origin, in an older browser', { origin: 'http://evil.example' }, true, true],
    ['another port, in an older browser', { origin: 'http://gateway.example' }, true, true],
    ['a name that begins like ours', { origin: 'http://gateway.example:8080.evil.example' }, true, true],
    [
      'an origin that contradicts the other header',
      { 'sec-fetch-site': 'same-origin', origin: 'http://evil.example' },
      true,
      true,
    ],
    ['no origin at all', { origin: 'nonsense' }, true, true],
    ['an origin without a host', { origin: 'data:text/html,x' }, true, true],
    ['a hidden origin, in an older browser', { origin: 'null' }, false, true],
  ])('where its headers say: %s', (_what, headers, withOwn, withForeign) => {
    const request = requestOf({ host, ...headers });
    expect([comesFromElsewhere(request, 'own'), comesFromElsewhere(request, 'foreign')]).toEqual([withOwn, withForeign]);
  });

  it('where ours has no host that is one', () => {
    expect(comesFromElsewhere(requestOf({ host: '[', origin: own }), 'own')).toBe(true);
    expect(comesFromElsewhere(requestOf({ origin: 'http://' }), 'own')).toBe(true);
  });
});

describe('a request comes from this machine', () => {
  it.each([
    ['over IPv4', { host: '127.0.0.1:8080' }, '127.0.0.1', true],
    ['over IPv6', { host: '[::1]:8080' }, '::1', true],
    ['over IPv4 in IPv6', { host: 'LocalHost' }, '::ffff:127.0.0.1', true],
    [
      'from its own page',
      { host: 'localhost:8080', origin: 'http://localhost:8080', 'sec-fetch-site': 'same-origin' },
      '::1',
      true,
    ],
    ['not with another name in Host', { host: 'evil.example:8080' }, '127.0.0.1', false],
    ['not without Host', {}, '127.0.0.1', false],
    ['not from another address', { host: 'localhost' }, '192.0.2.1', false],
    ['not from another address that names this one', { host: 'localhost', 'x-forwarded-for': '127.0.0.1' }, '192.0.2.1', false],
    ['not from a page of another site', { host: 'localhost', 'sec-fetch-site': 'cross-site' }, '127.0.0.1', false],
    ['not from another port', { host: 'localhost:8080', origin: 'http://localhost:3000' }, '127.0.0.1', false],
    ['not from a file or frame in an older browser', { host: 'localhost:8080', origin: 'null' }, '127.0.0.1', false],
  ])('%s', (_what, headers, address, isHere) => {
    expect(comesFromHere(requestOf(headers as Record<string, string>, address))).toBe(isHere);
  });
});
