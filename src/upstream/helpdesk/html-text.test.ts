import fc from 'fast-check';
import { growthOf } from '../../../test/support/growth';
import { textOfHtml } from './html-text';

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
  [
    'entities of all languages are letters',
    '<p>informaci&oacute;n &iquest;cu&aacute;ndo?</p>\n<p>K&oslash;benhavn, &Aring;rhus</p>\n<p>cart&atilde;o, n&atilde;o, pr&ecirc;t, &laquo;oui&raquo;</p>',
    'información ¿cuándo?\n\nKøbenhavn, Århus\n\ncartão, não, prêt, «oui»',
  ],
  ['old entities need no semicolon', 'caf&eacute au lait &copy 2026 &lt b &gt', 'café au lait © 2026 < b >'],
  ['numbers of Windows’ own characters are those', '&#8217;&#146; &#x80;', '’’ €'],
  ['joiners and marks stay, a hyphen that nobody sees goes', 'a&zwj;b&zwnj;c&rlm;d&shy;e', 'a\u200db\u200cc\u200fde'],
  ['a quote that begins no value hides nothing', "<p class=it's>seen</p><p it's>also</p>", 'seen\n\nalso'],
  ['an empty comment hides nothing', '<!-->a<!--->b<!-- c --!>d', 'abd'],
  ['a head that nobody closed hides nothing', '<html><head><title>x</title><meta a><body>seen', 'seen'],
  ['a picture that nobody closed hides nothing', 'a<svg/>b<svg>c', 'abc'],
  ['a longer name closes no script', '<script>a</scripts>b</script >c', 'c'],
  ['a lone less-than sign stays', '1 < 2 and a<', '1 < 2 and a<'],
  ['cells are apart', '<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>', 'a b\n\nc'],
  [
    'lines of what is preformatted are lines',
    '<pre>\nGuten Tag,\r\n  doppelt\n\nKim</pre>a\nb',
    'Guten Tag,\ndoppelt\n\nKim\na b',
  ],
  ['a summary, an option and a caption are lines', '<details><summary>a</summary>b</details><option>c<option>d', 'a\nb\n\nc\nd'],
  ['letters that lengthen in lower case shift nothing', 'İİİ<script>x</script>y', 'İİİy'],
])('%s', (_, html, text) => {
  expect(textOfHtml(html)).toBe(text);
});

test('no tag survives, whatever comes in', () => {
  const piece = fc.constantFrom('<', '>', '<script>', '</script>', '<p', '"', "'", '&lt', '<!--', '-->', 'a', ' ', '<a b="', '/');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const html = pieces.join('').replaceAll('&lt', '');
      // "<" and "a>" with an end of nothing between them are read as "<a>", which was no tag.
      for (const [tag] of textOfHtml(html).matchAll(/<(?:script|p|a)\b[^>]*>/g)) expect(html).not.toContain(tag);
    }),
  );
});

test.each([
  '<',
  '<a "',
  "<a b='",
  '<!--',
  '<!',
  '<script>',
  '<script></scrip',
  '<svg>',
  '</',
  '<div>',
  '<p><b>',
  '&',
  '&#',
  '&a',
  '<a href=x.example>1',
  '<a href=//x.example>a.</a>',
  '<a href=//x.example>\n<p></a>',
  '<br>',
  "'",
  'a.',
])('a megabyte of %j takes as long as its bytes', (unit) => {
  const longest = unit.repeat(Math.ceil(1_048_576 / unit.length));
  expect(growthOf((bytes) => textOfHtml(longest.slice(0, bytes)), 65_536, 1_048_576)).toBeLessThan(1.5);
});

describe('a link', () => {
  test.each([
    ['tells its host', '<a href="https://shop.example/pay?x=1">pay now</a>.', 'pay now (shop.example).'],
    ['that says its host tells it once', 'at <a href="https://www.shop.example/x">Shop.example</a>', 'at Shop.example'],
    [
      'that says its address tells nothing twice',
      '<a href="https://shop.example/b">https://shop.example/a</a>',
      'https://shop.example/a',
    ],
    [
      'that names another host is marked',
      '<a href=https://evil.example/>https://bank.example/login</a>',
      'https://bank.example/login (warning: this link leads to evil.example)',
    ],
    [
      'that names its host as a user is marked',
      '<a href="https://bank.example@evil.example/">bank.example</a>',
      'bank.example (warning: this link leads to evil.example)',
    ],
    [
      'that writes to another address is marked',
      '<a href="mailto:x@evil.example?subject=a">help@bank.example</a>',
      'help@bank.example (warning: this link leads to evil.example)',
    ],
    ['to the address that it shows tells nothing', '<a href="mailto:Kim@Bank.example">kim@bank.example</a>', 'kim@bank.example'],
    [
      'within one domain is no lie',
      '<a href="https://login.bank.example/">bank.example</a>',
      'bank.example (login.bank.example)',
    ],
    ['to a file names no host', '<a href="https://shop.example/1">invoice.pdf</a>', 'invoice.pdf (shop.example)'],
    [
      'in letters beyond ASCII is told in the form that can’t deceive',
      '<a href="https://pаypal.example">x</a>',
      'x (xn--pypal-4ve.example)',
    ],
    ['may be written in both forms', '<a href="https://bücher.example/">Bücher.example</a>', 'Bücher.example'],
    ['of a picture says nothing', '<a href="https://t.example/"><img src=x>\u200b </a>a', '\u200b a'],
    [
      'that leads nowhere by itself says nothing',
      '<a href="/x">a</a> <a href="javascript:1">b</a> <a name=c>c</a> <a href="#">d</a>',
      'a b c d',
    ],
    ['has its host decoded', '<a href="https&#58;//evil&period;example/&amp;x">a</a>', 'a (evil.example)'],
    [
      'that nobody closed ends with the next',
      '<a href=//a.example>one <a href=//b.example>two',
      'one (a.example) two (b.example)',
    ],
    [
      'keeps the blanks behind it',
      '<a href=//a.example>one </a>two<br><a href=//b.example>three<br></a>four',
      'one (a.example) two\nthree (b.example)\nfour',
    ],
    [
      'without slashes leads where a browser goes',
      '<a href="https:evil.example">bank.example</a>',
      'bank.example (warning: this link leads to evil.example)',
    ],
    [
      'may be an address of numbers',
      '<a href="http://192.0.2.1/">192.0.2.2</a>',
      '192.0.2.2 (warning: this link leads to 192.0.2.1)',
    ],
    [
      'breaks up no number',
      '4242 <a href=//a.example>4242</a> <b>4242</b>-<i>42</i>42 and',
      '4242 4242 4242-4242 (a.example) and',
    ],
    [
      'says where it leads before the next line',
      '<p><a href=//a.example>call 555</a></p><p>12</p>',
      'call 555 (a.example)\n\n12',
    ],
  ])('%s', (_, html, text) => {
    expect(textOfHtml(html)).toBe(text);
  });

  test('never hides a card number, however it is cut into links', () => {
    const number = '4242424242424242';
    const cuts = fc.array(fc.tuple(fc.nat(16), fc.nat(16)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(cuts, (pairs) => {
        const marks = new Set(pairs.flat());
        const html = [...number].map((digit, at) => `${marks.has(at) ? `</a><a href=https://a.example>` : ''}${digit}`).join('');
        expect(textOfHtml(`x ${html}</a> y`)).toContain(number);
      }),
    );
  });
});
