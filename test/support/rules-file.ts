import { readFileSync } from 'node:fs';

/** The shipped file with another mode of some rules. Throws for a rule that it hasn't. */
export const rulesWithModes = (modes: Readonly<Record<string, string>>): string =>
  Object.entries(modes).reduce(
    (text, [rule, mode]) => {
      const pattern = new RegExp(`(^  ${rule}:\\n(?:    .*\\n)*?    mode: )\\w+`, 'm');
      if (!pattern.test(text)) throw new Error(`the file has no rule ${rule}`);
      return text.replace(pattern, `$1${mode}`);
    },
    readFileSync('schema/rules.yaml', 'utf8'),
  );
