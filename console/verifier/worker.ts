import { manifestOf } from '../../src/audit/export-format';
import { InputInvalid, type ReadBytes, type Verified, verify } from './verifier';

/* Reads the files that were chosen, piece by piece, so that a page verifies an export of any length in constant memory. */

export interface Work {
  readonly export: File;
  readonly csv: File | null;
  readonly keys: string;
  readonly witnesses: string;
  readonly since: string;
  readonly strict: boolean;
}

export type Told =
  | { readonly kind: 'progress'; readonly part: number }
  | { readonly kind: 'verified'; readonly verified: Verified }
  | { readonly kind: 'refused' | 'failed'; readonly message: string };

declare const self: DedicatedWorkerGlobalScope;

const tell = (told: Told): void => self.postMessage(told);

const piece = 4 * 1024 * 1024;

/** `onPart`: told how much of it was read, from 0 to 1. */
const reading = (file: File, onPart: (part: number) => void): ReadBytes => {
  const reader = new FileReaderSync();
  let at = 0;
  let held = new Uint8Array(0);
  return (into) => {
    if (held.length === 0) {
      held = new Uint8Array(reader.readAsArrayBuffer(file.slice(at, at + piece)));
      at += held.length;
      onPart(file.size === 0 ? 1 : at / file.size);
    }
    const count = Math.min(held.length, into.length);
    into.set(held.subarray(0, count));
    held = held.subarray(count);
    return count;
  };
};

self.onmessage = async ({ data }: MessageEvent<Work>): Promise<void> => {
  try {
    const verified = await verify({
      read: reading(data.export, (part) => tell({ kind: 'progress', part })),
      csv: data.csv ? reading(data.csv, () => undefined) : undefined,
      files: { export: data.csv ? manifestOf(data.csv.name) : data.export.name, csv: data.csv?.name },
      givenAs: 'the checkpoint that you kept',
      keys: data.keys,
      witnesses: data.witnesses,
      since: data.since,
      strict: data.strict,
    });
    tell({ kind: 'verified', verified });
  } catch (error) {
    if (error instanceof InputInvalid) tell({ kind: 'refused', message: error.message });
    else if (error instanceof DOMException) tell({ kind: 'failed', message: 'A file can’t be read any more: choose it again.' });
    else tell({ kind: 'failed', message: error instanceof Error ? error.message : 'Something went wrong.' });
  }
};
