import { cardNumbers, type Detector, TextRedactor } from './redaction';

const mark = '[card number removed]';
const finding = (...spans: [start: number, end: number][]): Detector => ({
  kind: 'CARD_NUMBER',
  find: () => spans.map(([start, end]) => ({ start, end })),
});

describe('a redactor', () => {
  it('says where the replacements stand in the new text, and nothing of what was there', () => {
    const { text, redactions } = new TextRedactor().redact('a 4242424242424242 b 378282246310005');
    expect(text).toBe(`a ${mark} b ${mark}`);
    expect(redactions).toEqual([
      { kind: 'CARD_NUMBER', start: 2, end: 23 },
      { kind: 'CARD_NUMBER', start: 26, end: 47 },
    ]);
    for (const { start, end } of redactions) expect(text.slice(start, end)).toBe(mark);
  });

  it('leaves a text alone in which nothing is found', () => {
    expect(new TextRedactor().redact('Hello 42')).toEqual({ text: 'Hello 42', redactions: [] });
    expect(new TextRedactor([]).redact('4242424242424242').text).toBe('4242424242424242');
  });

  it('makes one removal of finds that overlap, in whatever order and by whichever detector', () => {
    const text = '0123456789';
    expect(new TextRedactor([finding([4, 6], [1, 3]), finding([2, 5])]).redact(text).text).toBe(`0${mark}6789`);
    expect(new TextRedactor([finding([1, 9]), finding([2, 3])]).redact(text).text).toBe(`0${mark}9`);
    expect(new TextRedactor([finding([2, 3]), finding([2, 8])]).redact(text).text).toBe(`01${mark}89`);
  });

  it('keeps finds apart that only touch', () => {
    const { text, redactions } = new TextRedactor([finding([0, 2], [2, 4])]).redact('0123x');
    expect(text).toBe(`${mark}${mark}x`);
    expect(redactions).toHaveLength(2);
  });

  it('takes further detectors beside the one for card numbers', () => {
    const word: Detector = {
      kind: 'CARD_NUMBER',
      find: (text) => [...text.matchAll(/secret/g)].map(({ index }) => ({ start: index, end: index + 6 })),
    };
    expect(new TextRedactor([cardNumbers, word]).redact('secret 4242424242424242').text).toBe(`${mark} ${mark}`);
  });
});
