import fc from 'fast-check';
import { urlOf } from '../../test/support/database-url';
import { Failure } from '../failure';
import { type DatabaseLocation, parseDatabaseUrl } from './location';

const server = {
  engine: 'mariadb' as const,
  host: '127.0.0.1',
  port: 3306,
  user: 'cf',
  password: 'pw',
  name: 'cf',
  tls: null,
  socket: null,
};

const refusal = (url: string): string => {
  try {
    parseDatabaseUrl(url);
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    expect((error as Failure).code).toBe('INVALID');
    return (error as Failure).message;
  }
  throw new Error('it was taken');
};

describe('DATABASE_URL', () => {
  it.each<[string, Partial<typeof server> | object]>([
    ['mysql://cf:pw@127.0.0.1:3306/cf', {}],
    ['mariadb://cf:pw@127.0.0.1/cf', {}],
    ['mysql://cf@database/cf', { host: 'database', password: '' }],
    ['mysql://cf:@database/cf', { host: 'database', password: '' }],
    ['mysql://cf:pw@[::1]:3307/cf', { host: '::1', port: 3307 }],
    ['mysql://cf:pw@[2001:db8::7]/cf', { host: '2001:db8::7' }],
    ['mysql://cf:a@b:c@127.0.0.1/cf', { password: 'a@b:c' }],
    ['mysql://cf:%23%3F%2F%25%40%3A+%20%0D@127.0.0.1/cf', { password: '#?/%@:+ \r' }],
    ['mysql://cf:pw@127.0.0.1/cf?', {}],
    ['mysql://cf:pw@127.0.0.1/cf?tls=off', {}],
    ['mysql://cf:pw@127.0.0.1/cf?tls=verify', { tls: { ca: null } }],
    ['mysql://cf:pw@127.0.0.1/cf?tls=verify&ca=/etc/ca.pem', { tls: { ca: '/etc/ca.pem' } }],
    ['mysql://cf:pw@127.0.0.1/cf?ca=tls%2Fca%26.pem&tls=verify', { tls: { ca: '/srv/tls/ca&.pem' } }],
    ['mysql://cf:pw@localhost/cf?socket=/run/mysqld/mysqld.sock', { host: 'localhost', socket: '/run/mysqld/mysqld.sock' }],
  ])('%s', (url, expected) => {
    expect(parseDatabaseUrl(url, '/srv')).toEqual({ ...server, ...expected });
  });

  it('names an embedded database’s file', () => {
    expect(parseDatabaseUrl('sqlite:my data/x#1.db', '/srv')).toEqual({ engine: 'sqlite', file: '/srv/my data/x#1.db' });
  });

  it.each([
    'mysql://x:se/cretpw@127.0.0.1:3306/cf',
    'mysql://x:12/cretpw@127.0.0.1:3306/cf',
    'mysql://x@y:12/cretpw?tls@127.0.0.1:3306/cf',
    'mysql://x:se#cretpw@127.0.0.1:3306/cf',
    'mysql://x:se?cretpw@127.0.0.1:3306/cf',
    'mysql://x:12/se?cretpw=1@127.0.0.1:3306/cf',
    'mysql://x:se%cretpw@127.0.0.1:3306/cf',
    'mysql://x:se%ffcretpw@127.0.0.1:3306/cf',
    'mysql://x:se cretpw@127.0.0.1:3306/cf',
    'mysql://x:cretpw@127.0.0.1:3306/cf\r',
    'mysql://x:cretpw@127.0.0.1:3306/cf\n',
    'mysql://x:cretpw@127.0.0.1:0/cf',
    'mysql://x:cretpw@127.0.0.1:65536/cf',
    'mysql://x:cretpw@[::g]:3306/cf',
    'mysql://x:cretpw@::1/cf',
    'mysql://x:cretpw@127.0.0.1:3306/',
    'mysql://x:cretpw@127.0.0.1:3306',
    'mysql://x:cretpw@127.0.0.1:3306/cf/cf',
    'mysql://:cretpw@127.0.0.1/cf',
    'mysql://cretpw/cf',
    'mysqls://x:cretpw@127.0.0.1/cf',
    'sqlite:',
    'sqlite:cretpw.db\r',
    '',
  ])('says how it is written where it is %j, and nothing of what it says', (url) => {
    const message = refusal(url);
    expect(message).toMatch(/^DATABASE_URL: expected .* # \? \/ % are written %23 %3F %2F %25/);
    expect(message).not.toMatch(/cretpw|127|x:|cf/);
  });

  it.each<[string, string]>([
    ['ssl={"rejectUnauthorized":false}', 'unknown parameter ssl, expected tls, ca or socket'],
    ['tls=verify&sslmode=canary', 'unknown parameter sslmode, expected tls, ca or socket'],
    ['can%61ry=1', 'an unknown parameter, expected tls, ca or socket'],
    ['__proto__=canary', 'an unknown parameter, expected tls, ca or socket'],
    ['tls=canary', 'tls: expected verify or off'],
    ['tls', 'tls: expected one value'],
    ['tls=verify&tls=verify', 'tls: expected one value'],
    ['tls=verify&ca=', 'ca: expected one value'],
    ['ca=/canary', 'ca: expected together with tls=verify only'],
    ['tls=off&ca=/canary', 'ca: expected together with tls=verify only'],
    ['tls=verify&socket=/canary', 'socket: expected without tls=verify, because nothing leaves this machine'],
  ])('takes no %s', (parameters, expected) => {
    expect(refusal(`mysql://cf:pw@127.0.0.1/cf?${parameters}`)).toBe(`DATABASE_URL: ${expected}`);
  });

  const text = fc.string({ unit: 'grapheme', minLength: 1 });
  it('carries any user, password, name and path', () => {
    fc.assert(
      fc.property(
        fc.record({
          user: text,
          password: fc.string({ unit: 'grapheme' }),
          name: text,
          host: fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()),
          port: fc.integer({ min: 1, max: 65_535 }),
          path: fc.option(text.map((each) => `/srv/${each.replaceAll('/', '_').replace(/^\.+$/, '_')}`)),
          kind: fc.constantFrom('clear', 'tls', 'socket'),
        }),
        ({ path, kind, ...parts }) => {
          const location: DatabaseLocation = {
            engine: 'mariadb',
            ...parts,
            tls: kind === 'tls' ? { ca: path } : null,
            socket: kind === 'socket' ? path : null,
          };
          expect(parseDatabaseUrl(urlOf(location))).toEqual(location);
        },
      ),
    );
  });

  it('says nothing of a password, whatever stands in it unescaped', () => {
    const piece = fc.constantFrom('#', '?', '/', '%', '@', ':', '&', '=', 'tls', 'ssl', '12', '[::1]', '\r', ' ', 'canary');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        try {
          parseDatabaseUrl(`mysql://x:${pieces.join('')}canary@db.example/cf`);
        } catch (error) {
          expect((error as Failure).message).not.toMatch(/canary|ssl,|12|::1/);
        }
      }),
    );
  });
});
