import { e164 } from '../../privacy/phone-numbers';

/**
 * Who may be named as a recipient: one, in the plain form. A list, a group, a display name, a quoted local part or a line
 * break is none of that, so no text can add a recipient or a header.
 */
const mailAddress = /^[^\s\p{C}@<>()[\]\\,;:"]{1,64}@[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}.-]{0,251}[\p{L}\p{M}\p{N}])?$/u;

/** One address as RFC 5321 transports it, in the form that needs no quoting; letters beyond ASCII may stand in it (RFC 6531). */
export const isOneMailAddress = (text: string): boolean => text.length <= 254 && mailAddress.test(text);

const telephoneNumber = /^\+?[0-9][0-9 ().\u00a0/-]{2,30}$/;

/** One telephone number, as people write them: digits with what separates them, a plus in front or not. */
export const isOneTelephoneNumber = (text: string): boolean => {
  const digits = text.replace(/\D/g, '').length;
  return telephoneNumber.test(text) && digits >= 4 && digits <= 15;
};

/** A number in E.164 (ITU-T), `+` and up to 15 digits, without what separates them; null where the text is in no international form. */
export const e164Of = (text: string): string | null => {
  const number = e164(text);
  return number !== null && /^\+[1-9][0-9]{6,14}$/.test(number) ? number : null;
};
