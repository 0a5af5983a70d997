/** Characters of a note; what is longer was not written by us. */
const noteLimit = 4_000;

/** A note as it is sent: bounded, with line breaks and no other controls, those of the writing direction included. */
export const noteText = (text: string): string =>
  text
    .replace(/\r\n?/g, '\n')
    .replace(/[^\P{Cc}\n\t]|\p{Cs}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, ' ')
    .slice(0, noteLimit)
    .replace(/[\ud800-\udbff]$/, '')
    .trim();
