import fc from 'fast-check';
import { rtPerson, rtTicket } from './rt.records';
import { boundedText, textOfHtml } from './rt.text';

test.each([
  ['paragraphs and breaks are lines', '<p>Dear <b>Vera</b>,</p><p>your card<br>failed</p>', 'Dear Vera,\n\nyour card\nfailed'],
  ['inline tags leave no gap, so that a split card number is whole', '4242<b>4242</b><span>4242</span>4242', '4242424242424242'],
  ['scripts, styles and titles are not seen', '<head><title>x</title></head><style>p{}</style><SCRIPT>a<b</SCRIPT>seen', 'seen'],
  ['a script that never ends hides the rest', 'a<script>b', 'a'],
  ['comments are not seen', 'a<!-- <p>b</p> -->c<!-- d', 'ac'],
  ['a > in quotes does not end a tag', '<a title="x>y" href=\'>\'>link</a>', 'link'],
  ['entities are characters', '&lt;p&gt; &amp;amp; &#52;2 &#x34;&nbsp;&euro;', '<p> &amp; 42 4 €'],
  ['entities for no character vanish', 'a&#0;b&#xD800;c&#x110000;d', 'abcd'],
  ['unknown entities stay', '&bogus; &toString; &', '&bogus; &toString; &'],
  ['a lone less-than sign stays', '1 < 2 and a<', '1 < 2 and a<'],
  ['cells are apart', '<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>', 'a b\n\nc'],
  ['letters that lengthen in lower case shift nothing', 'İİİ<script>x</script>y', 'İİİy'],
])('%s', (_, html, text) => {
  expect(textOfHtml(html)).toBe(text);
});

test('no tag survives, whatever comes in', () => {
  const piece = fc.constantFrom('<', '>', '<script>', '</script>', '<p', '"', "'", '&lt', '<!--', '-->', 'a', ' ', '<a b="', '/');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const text = textOfHtml(pieces.join('').replaceAll('&lt', ''));
      expect(text).not.toMatch(/<(script|p|a)\b[^>]*>/);
    }),
  );
});

test('hostile input takes no longer than its length', () => {
  const began = Date.now();
  for (const unit of ['<', '<a "', '<!--', '<script>', '&', '<p>', '&#', '</']) textOfHtml(unit.repeat(200_000));
  expect(Date.now() - began).toBeLessThan(5_000);
});

test('a text is cut at its bytes and never inside a character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, limit) => {
      const cut = boundedText(text, limit);
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(limit);
      expect(text.startsWith(cut)).toBe(true);
    }),
  );
  expect(boundedText('x'.repeat(70_000))).toHaveLength(65_536);
});

it.each([
  ['علی‌رضا محمدی', 'علی‌رضا محمدی'],
  ['ශ්‍රී', 'ශ්‍රී'],
  ['Jo\u00adhanna\u200b \u202eQuill', 'Johanna Quill'],
  ['Kim\nQuill', 'Kim Quill'],
  ['\u200b', null],
  ['', null],
  [null, null],
])('a name and a subject are cleaned as every source’s: %j', (written, shown) => {
  expect(rtPerson.parse({ type: 'user', id: 1, Name: 'kim', RealName: written }).RealName).toBe(shown);
  expect(rtTicket.shape.Subject.parse(written)).toBe(shown);
});
