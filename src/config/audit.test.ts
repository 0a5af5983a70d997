import { createHash, generateKeyPairSync } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configFolder, key, placesOf, problemsOf, production, real, signingKey } from '../../test/support/config-folder';
import { formatVerifierKey, generateSignerKey, verifierKeyOf } from '../audit/note';
import { loadAuditConfig } from './load';

const { folder, file, load, loadFile } = configFolder();

describe('the audit log', () => {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const witness = 'witness.example.com+c946a8ab+BAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB';
  const publicKey = formatVerifierKey(verifierKeyOf(generateSignerKey('pay.example.com/log')));
  const withAudit = (audit: string) => real.replace(/audit:[\s\S]*$/, `audit: ${audit}`);

  test('is signed in development by a key that is made there, under a name of no one', () => {
    expect(load().audit).toEqual({
      origin: 'counterfoil.invalid/development',
      anchors: [],
      signingKey: { file: join(folder(), '.data', 'keys', 'audit-signing-key') },
      mark: { file: join(folder(), '.data', 'counterfoil.sqlite.mark'), isDefault: true },
    });
  });

  test('has a name, anchors and a key; a gateway beside a process that signs holds none', () => {
    const anchors = `[{ kind: file, name: worm, path: anchors/log }, { kind: witness, name: w1, url: https://witness.example.com/w1, key: ${witness} }]`;
    const { audit } = loadFile(withAudit(`{ origin: pay.example.com/log, mark: volume/mark, anchors: ${anchors} }`), production);
    expect(audit).toEqual({
      origin: 'pay.example.com/log',
      anchors: [
        { kind: 'file', name: 'worm', path: join(folder(), 'anchors', 'log') },
        { kind: 'witness', name: 'w1', url: 'https://witness.example.com/w1', key: witness },
      ],
      signingKey: { value: signingKey },
      mark: { file: join(folder(), 'volume', 'mark'), isDefault: false },
    });
    const { AUDIT_SIGNING_KEY: _key, ...rest } = production;
    const elsewhere = loadFile(withAudit(`{ origin: pay.example.com/log, keys: ['${publicKey}'] }`), {
      ...rest,
      AUDIT_SEQUENCER: 'process',
    });
    expect(elsewhere.audit).toEqual({ origin: 'pay.example.com/log', anchors: [], signingKey: null, keys: [publicKey] });
    writeFileSync(join(folder(), 'signing'), `${pem}${pem}`.slice(0, pem.length), { mode: 0o600 });
    expect(loadFile(real, { ...rest, AUDIT_SIGNING_KEY_FILE: 'signing' }).audit.signingKey).toEqual({ value: pem });
  });

  test('takes a witness’s key of each type that this Node can check, and says of the others which they are', () => {
    const bytes = Buffer.concat([Buffer.of(6), Buffer.alloc(1_312, 1)]);
    const hash = (text: string) =>
      createHash('sha256').update(`w.example.com\n`).update(text, 'base64').digest('hex').slice(0, 8);
    const problems = (id: string) =>
      problemsOf(() =>
        loadFile(
          withAudit(
            `{ origin: a.example.com, mark: m, anchors: [{ kind: witness, name: x, url: https://w.example.com, key: 'w.example.com+${id}+${bytes.toString('base64')}' }] }`,
          ),
          production,
        ),
      );
    expect(problems('00000000')).toEqual([expect.stringMatching(/^audit\.anchors\[0\]\.key: .*hash/)]);
    let isKnown = true;
    try {
      (generateKeyPairSync as (algorithm: string) => unknown)('ml-dsa-44');
    } catch {
      isKnown = false;
    }
    const refusal = /^audit\.anchors\[0\]\.key: this witness key is of type 0x06 \(ML-DSA-44\), .*24\.6/;
    expect(problems(hash(bytes.toString('base64')))).toEqual(isKnown ? [] : [expect.stringMatching(refusal)]);
  });

  test('has a mark wherever it is signed, and none where another process signs', () => {
    const { AUDIT_SIGNING_KEY: _key, ...rest } = production;
    const marked = `{ origin: pay.example.com/log, keys: ['${publicKey}'], mark: m }`;
    expect(loadFile(withAudit(marked), { ...rest, AUDIT_SEQUENCER: 'process' }).audit.mark).toBeUndefined();
    expect(loadAuditConfig({ signs: true, marks: true }, production, folder()).audit.mark).toEqual({
      file: join(folder(), 'm'),
      isDefault: false,
    });
    writeFileSync(file(), withAudit('{ origin: pay.example.com/log }'));
    expect(placesOf(() => loadAuditConfig({ signs: true, marks: true }, production, folder()))).toEqual(['audit.mark']);
    expect(loadAuditConfig({ signs: true }, production, folder()).audit.mark).toBeUndefined();
  });

  test('is looked at in production wherever another process signs it, by public keys that are configured', () => {
    const { AUDIT_SIGNING_KEY: _key, ...rest } = production;
    expect(placesOf(() => loadFile(real, { ...rest, AUDIT_SEQUENCER: 'process' }))).toEqual(['audit.keys']);
    // Commands that are given a key need none.
    const { audit } = loadAuditConfig({ signs: false }, rest, folder());
    expect(audit).toEqual({ origin: 'counterfoil.example.com/audit', anchors: [], signingKey: null });
  });

  test.each([
    ['audit.keys[0]', `{ origin: a.example.com, keys: ['${publicKey.replace(/\+[0-9a-f]{8}\+/, '+00000000+')}'] }`],
    ['audit.keys', `{ origin: a.example.com, keys: ['${publicKey}', '${publicKey}'] }`],
    ['audit.origin', '{ origin: "https://log.example.com" }'],
    ['audit.origin', '{ origin: "a log" }'],
    ['audit.origin', '{ mark: m }'],
    ['audit.mark', '{ origin: a.example.com }'],
    ['audit.mark', '{ origin: a.example.com, mark: /dev/null }'],
    ['audit.mark', '{ origin: a.example.com, mark: counterfoil.yaml/mark }'],
    ['audit.anchors[0].kind', '{ origin: a.example.com, anchors: [{ kind: moon, name: x }] }'],
    [
      'audit.anchors[0].key',
      '{ origin: a.example.com, anchors: [{ kind: witness, name: x, url: https://w.example.com, key: canary }] }',
    ],
    [
      'audit.anchors[0].url',
      `{ origin: a.example.com, anchors: [{ kind: witness, name: x, url: http://w.example.com, key: ${witness} }] }`,
    ],
    ['audit.anchors', '{ origin: a.example.com, anchors: [{ kind: file, name: x, path: a }, { kind: file, name: x, path: b }] }'],
  ])('says of %s what is expected', (place, text) => {
    expect(placesOf(() => loadFile(withAudit(text), production))).toEqual([place]);
  });

  test.each(['canary', Buffer.alloc(32).toString('base64'), `${key},${key}`, pem.replace('PRIVATE', 'PUBLIC')])(
    'takes no signing key that isn’t one',
    (value) => {
      expect(placesOf(() => loadFile(real, { ...production, AUDIT_SIGNING_KEY: value }), [value])).toEqual(['AUDIT_SIGNING_KEY']);
    },
  );

  test('refuses a file of the signing key that is missing or that others may read', () => {
    const { AUDIT_SIGNING_KEY: _key, ...rest } = production;
    const places = () => placesOf(() => loadFile(real, { ...rest, AUDIT_SIGNING_KEY_FILE: 'signing' }));
    expect(places()).toEqual(['AUDIT_SIGNING_KEY_FILE']);
    writeFileSync(join(folder(), 'signing'), signingKey, { mode: 0o644 });
    expect(places()).toEqual(['AUDIT_SIGNING_KEY_FILE']);
    chmodSync(join(folder(), 'signing'), 0o600);
    expect(places()).toEqual([]);
  });

  test('is signed by the gateway where the database is embedded: no other process can open it', () => {
    expect(placesOf(() => load({ AUDIT_SEQUENCER: 'process' }))).toEqual(['AUDIT_SEQUENCER']);
  });

  test('is read by itself for commands that need nothing else, whatever the rest of the file lacks', () => {
    writeFileSync(file(), 'sources: { helpdesk: nonsense }\naudit: { origin: pay.example.com/log }\n');
    const environment = { NODE_ENV: 'production', DATABASE_URL: production.DATABASE_URL, AUDIT_SIGNING_KEY: signingKey };
    expect(loadAuditConfig({ signs: true }, environment, folder())).toMatchObject({
      production: true,
      database: { engine: 'mariadb' },
      audit: { origin: 'pay.example.com/log', signingKey: { value: signingKey } },
    });
    const { AUDIT_SIGNING_KEY: _key, ...rest } = environment;
    expect(loadAuditConfig({ signs: false }, rest, folder()).audit.signingKey).toBeNull();
    expect(placesOf(() => loadAuditConfig({ signs: true }, rest, folder()))).toEqual(['AUDIT_SIGNING_KEY_FILE']);
  });
});
