import fc from 'fast-check';
import { e164Of, isOneMailAddress, isOneTelephoneNumber } from './recipient';

describe('a recipient', () => {
  it.each(['kim@customers.example', 'kim.o’neil+shop@customers.example', "o'neil@x.co", 'josé@bücher.example', '客户@例子.广告'])(
    'is one mail address: %s',
    (text) => {
      expect(isOneMailAddress(text)).toBe(true);
    },
  );

  it('is never a list, a header or a command, whatever surrounds an address', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom(',', ';', ':', '<', '>', '"', '(', '\n', '\r', '\u0000', ' ', '\t', '\u00a0', '\u2029', '@', '\\'),
        fc.string({ unit: 'binary' }),
        (before, separator, after) => {
          expect(isOneMailAddress(`${before}kim@customers.example${separator}${after}`)).toBe(false);
          expect(isOneMailAddress(`${before}${separator}kim@customers.example${after}`)).toBe(false);
        },
      ),
    );
  });

  it.each([
    ['+49 (151) 234-5678', '+491512345678'],
    ['+1.555.010.0000', '+15550100000'],
    ['0151 2345678', null],
    ['00491512345678', '+491512345678'],
    ['+49 (0)1511 2345678', '+4915112345678'],
    ['+39 (06) 69821234', '+390669821234'],
    ['011 5612345', null],
    ['+49 151 2345678 +49 151 2345678', null],
    ['+', null],
    ['4242', null],
  ])('%s is in E.164 %s', (text, number) => {
    expect(e164Of(text)).toBe(number);
  });

  it('is one telephone number as it is written at home, too', () => {
    expect(['0151 2345678', '110110', '+49 151 2345678'].map(isOneTelephoneNumber)).toEqual([true, true, true]);
    expect(['1,2345678', '12 345\n67', 'tel:+4915123', '123'].map(isOneTelephoneNumber)).toEqual([false, false, false, false]);
  });
});
