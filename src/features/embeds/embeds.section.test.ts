import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { embedsSection } from './embeds.section';

const folder = mkdtempSync(join(tmpdir(), 'embeds-'));
const pem = (name: string, modulusLength: number): string => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength });
  writeFileSync(join(folder, name), publicKey.export({ type: 'spki', format: 'pem' }));
  return name;
};
const secretValue = (name: string) => (name === 'SHORT' ? 'short' : name === 'SECRET' ? 'a1b2c3d4e5f6a7b8c9d0' : undefined);
const section = (production: boolean) => embedsSection({ production, folder, secretValue });

/** Where something is wrong with one helpdesk's frames, in production. */
const wrong = (given: Record<string, unknown>): string[] => {
  const read = section(true).safeParse([{ source: 'desk', origins: ['https://rt.example.com'], ...given }]);
  return [...new Set((read.error?.issues ?? []).map(({ path }) => path.slice(1).join('.')))];
};

describe('the section of frames in helpdesks’ pages', () => {
  it('is nothing where it isn’t there', () => {
    expect(section(true).parse(undefined)).toEqual([]);
  });

  it.each([
    [['https://rt.example.com'], []],
    [['https://rt.example.com', 'https://rt.example.com:8443'], []],
    [['http://rt.example.com'], ['origins.0']],
    [['https://rt.example.com/'], ['origins.0']],
    [['https://rt.example.com/Ticket'], ['origins.0']],
    [['https://*.example.com'], ['origins.0']],
    [['https://RT.example.com'], ['origins.0']],
    [['https://rt.example.com; script-src *'], ['origins.0']],
    [['*'], ['origins.0']],
    [["'self'"], ['origins.0']],
    [[], ['origins']],
  ])('takes origins as browsers write them, and nothing that means more: %j', (origins, expected) => {
    expect(wrong({ origins })).toEqual(expected);
  });

  it.each([
    ['a demand that stands in the policy', { signatureRequired: true }, ['']],
    ['RT’s extension', { signed: { kind: 'rt', secret: '${SECRET}' } }, []],
    ['a secret in the file', { signed: { kind: 'rt', secret: 'a1b2c3d4e5f6a7b8c9d0' } }, ['signed.secret']],
    ['a secret that can be tried', { signed: { kind: 'rt', secret: '${SHORT}' } }, ['signed.secret']],
    ['Zendesk', { signed: { kind: 'zendesk', subdomain: 'shop', installation: 7, publicKey: pem('good.pem', 2_048) } }, []],
    [
      'a key that is too short',
      { signed: { kind: 'zendesk', subdomain: 'shop', installation: 7, publicKey: pem('short.pem', 1_024) } },
      ['signed.publicKey'],
    ],
    [
      'another site than an account of Zendesk’s',
      { signed: { kind: 'zendesk', subdomain: 'evil.example/', installation: 7, publicKey: 'good.pem' } },
      ['signed.subdomain'],
    ],
    ['Intercom', { origins: undefined, signed: { kind: 'intercom', workspace: 'lyt8zs0q', secret: '${SECRET}' } }, []],
    ['a frame in Intercom', { signed: { kind: 'intercom', workspace: 'lyt8zs0q', secret: '${SECRET}' } }, ['origins']],
    ['Intercom, wherever it is', { origins: undefined, signed: { kind: 'intercom', secret: '${SECRET}' } }, ['signed.workspace']],
    ['a helpdesk that signs otherwise', { signed: { kind: 'freshdesk', secret: '${SECRET}' } }, ['signed.kind']],
    ['Chatwoot', { context: 'chatwoot' }, []],
    ['a hint beside what is signed', { context: 'chatwoot', signed: { kind: 'rt', secret: '${SECRET}' } }, ['context']],
    ['a hint of another kind', { context: 'zendesk' }, ['context']],
  ])('takes or refuses %s', (_, given, expected) => {
    expect(wrong(given)).toEqual(expected);
  });
});
