import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { formatNote, parseNote, type VerifierKey } from '../../src/audit/note';
import { makeVerifier, verifierFolder, verifyExport } from '../support/both-verifiers';
import { builtConsole, consoleLoads } from '../support/built-console';
import { root } from '../support/readme';
import { SmallLog } from '../support/small-log';
import { filesUnder, importsIn, textOf } from '../support/source-files';

const files = ['counterfoil-verify.html', 'counterfoil-verify.mjs'];

describe('the verifier as single files', () => {
  it('is made of the core of the log, of its own, and of arithmetic, and of nothing that serves or loads', () => {
    const seen = new Set<string>();
    const packages = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      for (const [, name = ''] of textOf(`${path}.ts`).matchAll(/\bfrom '([^']+)'/g))
        if (name.startsWith('.')) visit(normalize(join(dirname(path), name)));
        else packages.add(name);
    };
    for (const file of filesUnder('console/verifier')) visit(file.slice(0, -'.ts'.length));
    expect([...seen].filter((path) => !path.startsWith('src/audit/') && !path.startsWith('console/verifier/'))).toEqual([]);
    expect([...packages].sort()).toEqual([
      '@noble/curves/ed25519.js',
      '@noble/hashes/sha2.js',
      '@noble/hashes/utils.js',
      '@noble/post-quantum/ml-dsa.js',
      'browser-buffer',
      'node:crypto',
    ]);
  });

  it('has no way to a network, and imports nothing, alone and in the console', () => {
    for (const file of [...files.map((name) => join(verifierFolder(), name)), join(builtConsole(), consoleLoads().proof)]) {
      const text = readFileSync(file, 'utf8');
      expect(text).not.toMatch(
        /\bfetch\(|XMLHttpRequest|\bWebSocket\b|EventSource|sendBeacon|WebTransport|RTCPeer|importScripts|\bimport\(|\beval\(|new Function\(|^import\b/m,
      );
      expect(text).not.toMatch(/https?:\/\/[^\s"'`<>)]*\.(?:js|mjs|css|wasm|png|svg|woff2?)\b/);
    }
  });

  it('is all that the console has of what isn’t its own', () => {
    const own = readdirSync(join(root, 'console/app'), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => join('console/app', name));
    expect(own.length).toBeGreaterThan(20);
    const elsewhere = own.flatMap((file) => importsIn(file, textOf(file))).filter((path) => !path.startsWith('console/app/'));
    expect([...new Set(elsewhere)].sort()).toEqual(['console/verifier/proof', 'console/verifier/steps']);
  });

  it('comes out the same each time, with its digests beside it', () => {
    const again = mkdtempSync(join(tmpdir(), 'verifier-'));
    makeVerifier(again);
    expect(readdirSync(again).sort()).toEqual(['SHA256SUMS', ...files]);
    for (const name of files) {
      const text = readFileSync(join(again, name));
      expect(text.equals(readFileSync(join(verifierFolder(), name)))).toBe(true);
      expect(readFileSync(join(again, 'SHA256SUMS'), 'utf8')).toContain(
        `${createHash('sha256').update(text).digest('hex')}  ${name}\n`,
      );
    }
  });
});

describe('a signature', () => {
  const log = new SmallLog(1);
  const origin = log.signer.name;
  const kept = parseNote(log.checkpoint());
  const keyOf = (raw: Uint8Array): VerifierKey => ({
    name: origin,
    keyId: createHash('sha256').update(`${origin}\n`).update(Buffer.of(1)).update(raw).digest().readUInt32BE(),
    publicKey: createPublicKey({
      key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]),
      format: 'der',
      type: 'spki',
    }),
  });
  /** Whether both verifiers take it for the key's; that they are of one opinion is expected on the way. */
  const isTaken = (raw: Uint8Array, text: string, signature: Buffer): boolean => {
    const key = keyOf(raw);
    const since = formatNote({ text, signatures: [{ name: origin, keyId: key.keyId, signature }] });
    const { problem } = verifyExport(() => 0, { keys: [key], since });
    // Past the checkpoint there is nothing: the file is empty.
    expect(['SIGNATURE', 'CUT']).toContain(problem?.kind);
    return problem?.kind === 'CUT';
  };
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const littleEndian = (value: bigint): Buffer => Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse();
  const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);

  it('is taken as it was made, and with no bit of it, of the key or of the text another one', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
    const signature = sign(null, Buffer.from(kept.text), privateKey);
    expect(isTaken(raw, kept.text, signature)).toBe(true);
    for (let bit = 0; bit < 512; bit += 5) {
      const changed = Buffer.from(signature);
      changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7));
      expect(isTaken(raw, kept.text, changed)).toBe(false);
    }
    for (let bit = 0; bit < 256; bit += 17) {
      const changed = Buffer.from(raw);
      changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7));
      expect(isTaken(changed, kept.text, signature)).toBe(false);
    }
    expect(isTaken(raw, kept.text.replace('\n1\n', '\n2\n'), signature)).toBe(false);
    expect(isTaken(raw, kept.text, signature.subarray(0, 63))).toBe(false);
    // S and S + L are the same to who doesn't look (RFC 8032, 5.1.7).
    const larger = Buffer.concat([signature.subarray(0, 32), littleEndian(numberOf(signature.subarray(32)) + order)]);
    expect(isTaken(raw, kept.text, larger)).toBe(false);
  });

  // Points of small order, in every way to write them: by such a key everything, or every eighth thing, is signed by anybody.
  const small = [
    '0100000000000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000000',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ].flatMap((hex) => {
    const plain = Buffer.from(hex, 'hex');
    const signed = Buffer.from(plain);
    signed[31] = signed[31]! | 0x80;
    return [plain, signed];
  });

  it('by a key of small order is judged as OpenSSL judges it, whatever stands for R', () => {
    let taken = 0;
    for (const key of small)
      for (const r of small)
        for (let size = 1; size < 5; size += 1) {
          const text = kept.text.replace('\n1\n', `\n${size}\n`);
          if (isTaken(key, text, Buffer.concat([r, Buffer.alloc(32)]))) taken += 1;
        }
    // Otherwise the sameness would be that of refusing all.
    expect(taken).toBeGreaterThan(10);
  });
});
