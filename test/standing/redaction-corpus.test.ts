import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CardDataKind } from '../../src/privacy/card-data';
import { TextRedactor } from '../../src/privacy/redaction';

/** A corpus of texts with what stands in them, and its own scorer. Not ours to give away: it lies beside a checkout, or doesn't. */
const corpus = join(__dirname, '..', '..', '..', 'shared', 'data', 'redaction');
const gold = join(corpus, 'corpus-dev.jsonl');

interface Score {
  readonly types: readonly { readonly type: string; readonly recall: string; readonly precision: string }[];
  readonly bySrc: Readonly<Record<string, { readonly clean: number; readonly hit: number }>>;
}

const types: Readonly<Record<CardDataKind, string>> = { CARD_NUMBER: 'PAN', TRACK: 'TRACK', CVC: 'CVC', EXPIRY: 'EXPIRY' };

const redactor = new TextRedactor();

describe('a corpus of our own', () => {
  it.each([
    ['My card is 4242 4242 4242 4242, thanks', '4242 4242 4242 4242'],
    ['card 3782-822463-10005', '3782-822463-10005'],
    ['５５５５５５５５５５５５４４４４ bitte', '５５５５５５５５５５５５４４４４'],
    ['6011 1111 1111 1117 was declined', '6011 1111 1111 1117'],
  ])('has the number in %j found whole', (text, number) => {
    const start = text.indexOf(number);
    const found = redactor.find(text).filter(({ kind }) => kind === 'CARD_NUMBER');
    expect(found.some((span) => span.start <= start && span.end >= start + number.length)).toBe(true);
  });

  it.each([
    'Call me on +49 1511 2345678 after five',
    'IBAN DE89 3704 0044 0532 0130 00',
    'Tracking: YT2633401182507344',
    'See https://help.shop.example/en/articles/4403182507311-returns',
    'Order A-225188 of 2026-09-14 was charged twice',
  ])('has nothing in %j', (text) => {
    expect(redactor.find(text)).toEqual([]);
  });
});

/** Only where the other corpus lies beside the checkout is there anything to score. */
const beside = existsSync(gold) ? describe : null;

beside?.('the corpus of texts', () => {
  it('has its card numbers found, and few others', () => {
    const records = readFileSync(gold, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { id: string; text: string });
    const folder = mkdtempSync(join(tmpdir(), 'counterfoil-corpus-'));
    try {
      const found = join(folder, 'found.jsonl');
      const lines = records.map(({ id, text }) => {
        const spans = redactor.find(text).map(({ kind, start, end }) => ({ start, end, type: types[kind] }));
        return JSON.stringify({ id, spans });
      });
      writeFileSync(found, lines.join('\n'));
      const output = execFileSync(process.execPath, [join(corpus, 'score.mjs'), gold, found, '--json'], { encoding: 'utf8' });
      const { types: scores, bySrc } = JSON.parse(output) as Score;
      const numbers = scores.find(({ type }) => type === 'PAN');
      expect(Number(numbers?.recall)).toBeGreaterThanOrEqual(0.99);
      expect(Number(numbers?.precision)).toBeGreaterThanOrEqual(0.99);
      const sources = Object.values(bySrc);
      const clean = sources.reduce((total, source) => total + source.clean, 0);
      const hit = sources.reduce((total, source) => total + source.hit, 0);
      expect(clean).toBeGreaterThan(1_000);
      expect(hit / clean).toBeLessThanOrEqual(0.002);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
