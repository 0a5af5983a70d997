import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(__dirname, '..', '..');
const text = readFileSync(join(root, 'README.md'), 'utf8');

export interface Block {
  readonly language: string;
  readonly content: string;
}

/** What stands under a heading of the README, to the next heading of any level. Throws where there is no such heading. */
export const sectionUnder = (heading: string): string => {
  const [, section] = new RegExp(`^#+ ${heading}$([\\s\\S]*?)(?=^#+ |(?![\\s\\S]))`, 'm').exec(withoutHashesInBlocks(text)) ?? [];
  if (section === undefined) throw new Error(`the README has no heading "${heading}"`);
  return section.replaceAll('\u0000', '#');
};

/** The blocks of code under a heading of the README, in their order. */
export const blocksUnder = (heading: string): readonly Block[] =>
  [...sectionUnder(heading).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', content = '']) => ({
    language,
    content,
  }));

/** A comment at the beginning of a line of code is no heading. */
const withoutHashesInBlocks = (whole: string): string =>
  whole.replace(/^```\w*\n[\s\S]*?^```$/gm, (block) => block.replaceAll('#', '\u0000'));

/** The only block of a language under a heading. */
export const blockUnder = (heading: string, language: string): string => {
  const found = blocksUnder(heading).filter((block) => block.language === language);
  if (found.length !== 1)
    throw new Error(`the README has ${found.length} blocks of ${language} under "${heading}", one was expected`);
  return (found[0] as Block).content;
};

/** What the README says about how to add something: from `**Add a field**` to the next of these. */
export const waysToAdd = (what: string): string => {
  const found = text.split(/^(?=\*\*Add an? )/m).filter((part) => part.startsWith(`**Add a ${what}**`));
  if (found.length !== 1) throw new Error(`the README says ${found.length} times how to add a ${what}`);
  return found[0] as string;
};
