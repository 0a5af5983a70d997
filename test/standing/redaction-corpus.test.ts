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

describe('the corpus of texts', () => {
  if (!existsSync(gold)) {
    it.skip('isn’t scored: ../shared/data/redaction/corpus-dev.jsonl doesn’t lie beside this checkout', () => undefined);
    return;
  }

  it('has its card numbers found, and few others', () => {
    const redactor = new TextRedactor();
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
