import { rtPerson, rtTicket } from './rt.records';

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
