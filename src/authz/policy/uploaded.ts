import type { Classification } from './classification';
import { type ExposureOptions, ExposurePolicy, type LoadedPolicy } from './exposure';
import type { PolicyProblem } from './file';

/**
 * What a file may be that anybody signed in sends: some four times a policy that has verdicts for each field. Reading YAML takes the square
 * of the keys of a map, which stand on lines of their own or between commas, and the stack for each bracket within a bracket.
 */
const most = { characters: 65_536, lines: 2_000, lineLength: 400, commas: 2_000, brackets: 64 } as const;

/** The first thing by which a text is more than is read; null where it isn't. */
const excess = (text: string): PolicyProblem | null => {
  const problem = (message: string, line: number | null = null): PolicyProblem => ({ path: '', line, message });
  if (text.length > most.characters) return problem(`longer than the ${most.characters} characters that are accepted`);
  const lines = text.split(/\r\n|[\n\r]/);
  if (lines.length > most.lines) return problem(`more than the ${most.lines} lines that are accepted`, most.lines + 1);
  const long = lines.findIndex((line) => line.length > most.lineLength);
  if (long >= 0) return problem(`longer than the ${most.lineLength} characters of a line that are accepted`, long + 1);
  let [commas, open] = [0, 0];
  for (const [index, line] of lines.entries()) {
    commas += line.split(',').length - 1;
    if (commas > most.commas) return problem(`more than the ${most.commas} commas that are accepted`, index + 1);
    for (const [bracket] of line.matchAll(/[[\]{}]/g)) {
      open += bracket === '[' || bracket === '{' ? 1 : -1;
      if (open > most.brackets)
        return problem(`more than the ${most.brackets} brackets within each other that are accepted`, index + 1);
    }
  }
  return null;
};

/** A policy that somebody would like to compare, read within bounds of size and time. Nothing of it is kept, and it decides nothing. */
export const readUploaded = (text: string, classification: Classification, options: ExposureOptions): LoadedPolicy => {
  const tooMuch = excess(text);
  if (tooMuch) return { ok: false, problems: [tooMuch] };
  try {
    return ExposurePolicy.load(text, classification, options);
  } catch (error) {
    // What is nested without brackets takes the stack too, in whichever part of the reader.
    if (error instanceof RangeError) return { ok: false, problems: [{ path: '', line: null, message: 'nested too deeply' }] };
    throw error;
  }
};
