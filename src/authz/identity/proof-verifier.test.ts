import { createHash, createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { KeyHolder, type ProofChanges } from '../../../test/support/key-holder';
import { type DpopSettings, dpopSection } from './dpop.section';
import { ProofMemory } from './proof-memory';
import { ProofNonces } from './proof-nonces';
import { ProofVerifier, type SentProof, targetOf } from './proof-verifier';

const address = 'https://gateway.merchant.example';
const target = `${address}/graphql`;
const token = 'a.b.c';
const start = Date.UTC(2026, 8, 1, 9, 0, 0);

const settingsOf = (given: object = {}): DpopSettings => dpopSection({ production: true }).parse(given);
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a proof of possession', () => {
  let holder: KeyHolder;
  let now: number;
  const nonces = new ProofNonces(randomBytes(32));
  const clock = () => new Date(now);
  beforeAll(async () => {
    holder = await KeyHolder.make();
  });
  beforeEach(() => {
    now = start;
  });

  const verifierOf = (settings: object = {}, parts: { addresses?: readonly string[] } = {}) => {
    const { addresses = [address] } = parts;
    const memory = new ProofMemory(1_000_000);
    const used = { take: async (name: string, until: Date) => memory.take(name, until, clock()) === 'first' };
    return new ProofVerifier({ settings: settingsOf(settings), addresses: () => addresses, nonces, clock, used });
  };
  const proofOf = (changes: ProofChanges = {}, by = holder) => by.prove({ token, address: target, at: clock() }, changes);
  const sent = (text: string | undefined, more: Partial<SentProof> = {}): SentProof => ({
    text,
    method: 'POST',
    path: '/graphql',
    ...more,
  });
  /** What it is refused for, null where it isn't. */
  const refusal = (proof: SentProof, verifier = verifierOf(), thumbprint = holder.thumbprint) =>
    verifier.verify(proof, token, thumbprint).then(
      () => null,
      (error: { code: string; details: { rule: string } }) => `${error.code} ${error.details.rule}`,
    );
  const refused = (fault: string) => `UNAUTHENTICATED proof.${fault}`;

  test('of the example in RFC 9449, section 7.1, is accepted at its time, for its request, its token and its key', async () => {
    const text =
      'eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA';
    const access = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU';
    const jkt = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I';
    const example = { text, method: 'GET', path: '/protectedresource' };
    const verifier = () => verifierOf({}, { addresses: ['https://resource.example.org'] });
    const outcome = (given: SentProof, by: string, key: string) =>
      verifier()
        .verify(given, by, key)
        .then(
          () => 'accepted',
          ({ details }: { details: { rule: string } }) => details.rule,
        );
    now = 1_562_262_618_000;
    expect(await outcome(example, access, jkt)).toBe('accepted');
    expect(await outcome({ ...example, method: 'POST' }, access, jkt)).toBe('proof.method');
    expect(await outcome({ ...example, path: '/other' }, access, jkt)).toBe('proof.address');
    expect(await outcome(example, `${access}x`, jkt)).toBe('proof.token');
    expect(await outcome(example, access, holder.thumbprint)).toBe('proof.binding');
    expect(await outcome({ ...example, text: text.replace(/2oW9RP/, '3oW9RP') }, access, jkt)).toBe('proof.signature');
    now += 61_000;
    expect(await outcome(example, access, jkt)).toBe('proof.time');
  });

  test.each(['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'])('by %s is accepted', async (algorithm) => {
    const by = await KeyHolder.make(algorithm);
    expect(await refusal(sent(await proofOf({}, by)), verifierOf(), by.thumbprint)).toBeNull();
  });

  test.each(['ES384', 'RS512'])('by %s is accepted where that is configured, and not elsewhere', async (algorithm) => {
    const by = await KeyHolder.make(algorithm);
    const proof = sent(await proofOf({}, by));
    expect(await refusal(proof, verifierOf(), by.thumbprint)).toBe(refused('algorithm'));
    expect(await refusal(proof, verifierOf({ algorithms: [algorithm] }), by.thumbprint)).toBeNull();
  });

  test('that isn’t there, or is there twice, is none', async () => {
    expect(await refusal(sent(undefined))).toBe(refused('missing'));
    for (const text of ['', 'x', 'a.b', 'a.b.c.d', `${await proofOf()},${await proofOf()}`, `${await proofOf()}, `])
      expect(await refusal(sent(text))).toBe(refused('malformed'));
  });

  test('that is long is refused before it is read', async () => {
    const text = await proofOf({ claims: { padding: 'x'.repeat(9_000) } });
    expect(await refusal(sent(text))).toBe(refused('length'));
  });

  test.each<[string, ProofChanges, string]>([
    ['another type', { header: { typ: 'JWT' } }, 'type'],
    ['no type', { header: { typ: undefined } }, 'type'],
    ['the type of a token', { header: { typ: 'at+jwt' } }, 'type'],
    ['a critical header', { header: { crit: ['b64'], b64: true } }, 'header'],
    ['no key', { header: { jwk: undefined } }, 'key'],
    ['a key elsewhere', { header: { jwk: undefined, kid: 'k1', jku: 'https://evil.example/keys' } }, 'key'],
    ['a symmetric key', { header: { jwk: { kty: 'oct', k: 'AAAA' } } }, 'key'],
    ['a key that is a text', { header: { jwk: 'key' } }, 'key'],
    ['no jti', { claims: { jti: undefined } }, 'claims'],
    ['an empty jti', { claims: { jti: '' } }, 'claims'],
    ['a huge jti', { claims: { jti: 'x'.repeat(257) } }, 'claims'],
    ['a jti that is a number', { claims: { jti: 1 } }, 'claims'],
    ['no htm', { claims: { htm: undefined } }, 'claims'],
    ['no htu', { claims: { htu: undefined } }, 'claims'],
    ['htu as a list', { claims: { htu: [target] } }, 'claims'],
    ['no iat', { claims: { iat: undefined } }, 'claims'],
    ['iat as a text', { claims: { iat: String(start / 1_000) } }, 'claims'],
    ['no ath', { claims: { ath: undefined } }, 'claims'],
    ['an end that is over', { claims: { exp: start / 1_000 - 600 } }, 'claims'],
    ['another method', { claims: { htm: 'GET' } }, 'method'],
    ['the method in lower case', { claims: { htm: 'post' } }, 'method'],
    ['another host', { claims: { htu: 'https://evil.example/graphql' } }, 'address'],
    ['another port', { claims: { htu: 'https://gateway.merchant.example:8443/graphql' } }, 'address'],
    ['another path', { claims: { htu: `${address}/graphql/stream` } }, 'address'],
    ['no TLS', { claims: { htu: 'http://gateway.merchant.example/graphql' } }, 'address'],
    ['credentials in its address', { claims: { htu: 'https://a:b@gateway.merchant.example/graphql' } }, 'address'],
    ['a host that only begins alike', { claims: { htu: 'https://gateway.merchant.example.evil.example/graphql' } }, 'address'],
    ['a back slash in its address', { claims: { htu: 'https://gateway.merchant.example\\graphql' } }, 'address'],
    ['a path for an address', { claims: { htu: '/graphql' } }, 'address'],
    ['another token', { claims: { ath: createHash('sha256').update('other').digest('base64url') } }, 'token'],
    ['the digest in another alphabet', { claims: { ath: createHash('sha256').update(token).digest('hex') } }, 'token'],
    ['an old time', { claims: { iat: start / 1_000 - 61 } }, 'time'],
    ['a future time', { claims: { iat: start / 1_000 + 61 } }, 'time'],
    ['a nonce of nobody', { claims: { nonce: 'nonce' } }, 'nonce'],
    ['an empty nonce', { claims: { nonce: '' } }, 'nonce'],
  ])('with %s is refused', async (_, changes, fault) => {
    expect(await refusal(sent(await proofOf(changes)))).toBe(refused(fault));
  });

  test('may name its address in another spelling of the same, with query and fragment', async () => {
    for (const htu of [
      'HTTPS://Gateway.Merchant.EXAMPLE:443/graphql',
      `${target}?query=1`,
      `${target}#here`,
      `${address}/./x/../graphql`,
      `${address}/gr%61phql`,
    ])
      expect([htu, await refusal(sent(await proofOf({ claims: { htu } })))]).toEqual([htu, null]);
  });

  test('signed by nobody, or with a key that both sides know, is refused', async () => {
    const claims = {
      jti: 'j',
      htm: 'POST',
      htu: target,
      iat: start / 1_000,
      ath: createHash('sha256').update(token).digest('base64url'),
    };
    const none = `${part({ typ: 'dpop+jwt', alg: 'none', jwk: holder.publicJwk })}.${part(claims)}.`;
    expect(await refusal(sent(none))).toBe(refused('algorithm'));
    // The public key, as text and as bytes, taken for a secret.
    for (const secret of [JSON.stringify(holder.publicJwk), Buffer.from(holder.publicJwk.x ?? '', 'base64url')]) {
      const input = `${part({ typ: 'dpop+jwt', alg: 'HS256', jwk: holder.publicJwk })}.${part(claims)}`;
      const forged = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
      expect(await refusal(sent(forged))).toBe(refused('algorithm'));
    }
    const [header, payload] = (await proofOf()).split('.');
    expect(await refusal(sent(`${header}.${payload}.`))).toBe(refused('signature'));
  });

  test('of another key is refused, whichever key it shows', async () => {
    const thief = await KeyHolder.make();
    expect(await refusal(sent(await proofOf({}, thief)))).toBe(refused('binding'));
    expect(await refusal(sent(await proofOf({ header: { jwk: holder.publicJwk } }, thief)))).toBe(refused('signature'));
    // Two keys in one.
    expect(await refusal(sent(await proofOf({ header: { jwk: { ...holder.publicJwk, x: thief.publicJwk.x } } })))).toBe(
      refused('binding'),
    );
  });

  test('with the private half of its key is refused', async () => {
    expect(await refusal(sent(await proofOf({ header: { jwk: holder.privateJwk } })))).toBe(refused('key'));
    expect(await refusal(sent(await proofOf({ header: { jwk: { ...holder.publicJwk, d: '' } } })))).toBe(refused('key'));
  });

  test('with a key that is too large, too small, of another kind or no point of its curve is refused', async () => {
    const small = await KeyHolder.make('RS256', { modulusLength: 2_048 });
    const short = { ...small.publicJwk, n: small.publicJwk.n?.slice(0, 170) };
    const large = { ...small.publicJwk, n: 'x'.repeat(1_366) };
    const slow = { ...small.publicJwk, e: 'x'.repeat(340) };
    for (const jwk of [short, large, slow])
      expect(await refusal(sent(await proofOf({ header: { jwk } }, small)), verifierOf(), small.thumbprint)).toBe(refused('key'));
    expect(await refusal(sent(await proofOf({ header: { jwk: small.publicJwk } })), verifierOf(), small.thumbprint)).toBe(
      refused('key'),
    );
    const nowhere = {
      kty: 'EC',
      crv: 'P-256',
      x: Buffer.alloc(32, 1).toString('base64url'),
      y: Buffer.alloc(32, 2).toString('base64url'),
    };
    const thumbprint = createHash('sha256')
      .update(JSON.stringify({ crv: nowhere.crv, kty: nowhere.kty, x: nowhere.x, y: nowhere.y }))
      .digest('base64url');
    expect(await refusal(sent(await proofOf({ header: { jwk: nowhere } })), verifierOf(), thumbprint)).toBe(refused('key'));
  });

  test('is taken once, and its name is its key’s alone', async () => {
    const verifier = verifierOf();
    const other = await KeyHolder.make();
    const text = await proofOf({ claims: { jti: 'one' } });
    expect(await refusal(sent(text), verifier)).toBeNull();
    expect(await refusal(sent(text), verifier)).toBe(refused('repeated'));
    expect(await refusal(sent(await proofOf({ claims: { jti: 'one' } })), verifier)).toBe(refused('repeated'));
    expect(await refusal(sent(await proofOf({ claims: { jti: 'one' } }, other)), verifier, other.thumbprint)).toBeNull();
  });

  test('sent many times at once is taken once', async () => {
    const verifier = verifierOf();
    const text = await proofOf();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => refusal(sent(text), verifier)));
    expect(outcomes.filter((outcome) => outcome === null)).toHaveLength(1);
  });

  test('that was refused isn’t used up', async () => {
    const verifier = verifierOf();
    const text = await proofOf();
    expect(await refusal(sent(text, { method: 'GET' }), verifier)).toBe(refused('method'));
    expect(await refusal(sent(text), verifier)).toBeNull();
  });

  test('is remembered for as long as it could be taken, however far its time is off', async () => {
    for (const ahead of [-60, 0, 60]) {
      const verifier = verifierOf();
      now = start;
      const text = await proofOf({ claims: { iat: start / 1_000 + ahead } });
      expect(await refusal(sent(text), verifier)).toBeNull();
      for (let seconds = 1; seconds <= 180; seconds += 1) {
        now = start + seconds * 1_000;
        expect(await refusal(sent(text), verifier)).toMatch(/proof\.(?:repeated|time)$/);
      }
    }
  });

  test('with a nonce counts for its time, whatever its maker’s clock says, and is remembered for as long', async () => {
    const verifier = verifierOf();
    const { nonce } = verifier;
    const text = await proofOf({ claims: { nonce, iat: start / 1_000 - 86_400 } });
    expect(await refusal(sent(text), verifier)).toBeNull();
    for (let seconds = 1; seconds <= 200; seconds += 1) {
      now = start + seconds * 1_000;
      expect(await refusal(sent(text), verifier)).toMatch(/proof\.(?:repeated|nonce)$/);
    }
    expect(await refusal(sent(await proofOf({ claims: { nonce } })), verifier)).toBe(refused('nonce'));
  });

  test('without a nonce is refused where one is asked for, and which one is next is told', async () => {
    const verifier = verifierOf({ nonces: true });
    expect(await refusal(sent(await proofOf()), verifier)).toBe(refused('nonce'));
    const { nonce } = verifier;
    const told = async () => verifier.verify(sent(await proofOf({ claims: { nonce } })), token, holder.thumbprint);
    expect(await told()).toBeNull();
    now += 60_000;
    expect(await told()).toBe(verifier.nonce);
    expect(verifier.nonce).not.toBe(nonce);
    now += 60_000;
    await expect(told()).rejects.toMatchObject({ details: { rule: 'proof.nonce' } });
  });
});

describe('what was used', () => {
  const at = (seconds: number) => new Date(start + seconds * 1_000);

  test('stays used until its end, and where there is no room that is said', () => {
    const memory = new ProofMemory(128 * 2);
    expect(memory.take('a', at(60), at(0))).toBe('first');
    expect(memory.take('b', at(120), at(0))).toBe('first');
    expect(memory.take('c', at(60), at(0))).toBe('full');
    for (const seconds of [0, 1, 59, 60]) expect(memory.take('a', at(60), at(seconds))).toBe('again');
    expect(memory.take('c', at(140), at(75))).toBe('first');
    expect(memory.take('b', at(120), at(75))).toBe('again');
    expect(memory.size).toBe(2);
    // A clock that is set back doesn't make it good again.
    expect(memory.take('a', at(60), at(10))).toBe('again');
  });
});

describe('nonces', () => {
  const key = randomBytes(32);
  const at = (seconds: number) => new Date(start + seconds * 1_000);

  test('are good in every process of the installation for a minute at least and two at most', () => {
    const [one, other] = [new ProofNonces(key), new ProofNonces(key)];
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: 300 }), (given, later) => {
        const end = other.endOf(one.current(at(given)), at(given + later));
        if (later <= 59) expect(end).not.toBeNull();
        if (later >= 120) expect(end).toBeNull();
        if (end) expect(end.getTime()).toBeGreaterThan(at(given + later).getTime());
      }),
    );
  });

  test('of another installation, or changed in any place, are none', () => {
    const nonces = new ProofNonces(key);
    const nonce = nonces.current(at(0));
    expect(nonce).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/);
    expect(nonces.endOf(new ProofNonces(randomBytes(32)).current(at(0)), at(0))).toBeNull();
    for (let place = 0; place < nonce.length; place += 1)
      for (const character of ['A', 'b', '.', ' '])
        if (nonce[place] !== character)
          expect(nonces.endOf(`${nonce.slice(0, place)}${character}${nonce.slice(place + 1)}`, at(0))).toBeNull();
  });
});

describe('the address of a request', () => {
  test('is the same however often it is put into its usual form', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (address) => {
        const target = targetOf(address);
        expect(target).not.toBeNull();
        expect(targetOf(target as string)).toBe(target);
        expect(target).not.toMatch(/[?#]/);
      }),
    );
  });

  test.each([
    ['https://a.example/b%2fc', 'https://a.example/b%2Fc'],
    ['https://a.example/%7Eb', 'https://a.example/~b'],
    ['https://a.example', 'https://a.example/'],
    ['http://A.example:80/x/../y', 'http://a.example/y'],
  ])('%s is %s', (given, normal) => expect(targetOf(given)).toBe(normal));

  test.each([
    'wss://a.example/',
    'https:a.example',
    'https://',
    ' https://a.example/',
    'https://a.example/\n',
    'https://ä.example/',
    'javascript:alert(1)',
    `https://a.example/${'x'.repeat(2_048)}`,
  ])('%p is none', (given) => expect(targetOf(given)).toBeNull());
});
