import { emptyRoot, hashBytes } from './merkle';
import { decodeBase64, NoteInvalid, openNote, type SignerKey, signNote, type VerifierKey } from './note';

/** A signed tree head, https://c2sp.org/tlog-checkpoint@v1.0.0: which log, how many leaves, and their root. */
export interface Checkpoint {
  /** Name of the log, which is also that of its keys. */
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  readonly extensions: readonly string[];
}

/** The extension line of a checkpoint that nothing outside its owner's reach will hold. */
export const unanchoredExtension = 'UNANCHORED';

const isLine = (text: string): boolean => text !== '' && !text.includes('\n');

/** The text that is signed. Throws `NoteInvalid` for what would not come out again as it went in. */
export const formatCheckpoint = ({ origin, size, root, extensions }: Checkpoint): string => {
  if (![origin, ...extensions].every(isLine)) throw new NoteInvalid('expected lines with something in them');
  const text = `${[origin, size, root.toString('base64'), ...extensions].join('\n')}\n`;
  parseCheckpoint(text);
  return text;
};

/** Reads the text of a checkpoint; who signed it is another matter (`openCheckpoint`). Throws `NoteInvalid`. */
export const parseCheckpoint = (text: string): Checkpoint => {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new NoteInvalid('expected a checkpoint: lines that end in a newline');
  const [origin = '', size = '', encoded = '', ...extensions] = lines;
  if (lines.length < 3 || lines.includes(''))
    throw new NoteInvalid('expected a checkpoint: origin, size, root, none of them empty');
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size)))
    throw new NoteInvalid('expected a checkpoint whose size is a whole number without leading zeros');
  const root = decodeBase64(encoded);
  if (root === undefined || root.length !== hashBytes)
    throw new NoteInvalid(`expected a checkpoint whose root is ${hashBytes} bytes in base64`);
  if (size === '0' && !root.equals(emptyRoot)) throw new NoteInvalid('expected the root of the empty tree at size 0');
  return { origin, size: Number(size), root, extensions };
};

/** The checkpoint as a signed note. Its keys bear the log's name. Throws `NoteInvalid`. */
export const signCheckpoint = (checkpoint: Checkpoint, signers: readonly SignerKey[]): string => {
  if (signers.length === 0 || signers.some(({ name }) => name !== checkpoint.origin))
    throw new NoteInvalid('a checkpoint is signed by keys that bear its origin’s name');
  return signNote(formatCheckpoint(checkpoint), signers);
};

/** The checkpoint in a note that one of `keys` signed for the log of its own name. Throws `NoteInvalid`. */
export const openCheckpoint = (note: Uint8Array | string, keys: readonly VerifierKey[]): Checkpoint => {
  const { text, verified } = openNote(note, keys);
  const checkpoint = parseCheckpoint(text);
  if (!verified.some(({ name }) => name === checkpoint.origin))
    throw new NoteInvalid('the given keys are those of another log than the checkpoint’s');
  return checkpoint;
};
