import { closeSync, openSync, readSync } from 'node:fs';
import { parseWitnessKey } from '../audit/cosignature';
import { manifestOf } from '../audit/export-format';
import type { ReadBytes } from '../audit/lines';
import { distinctKeys, parseVerifierKey, type VerifierKey } from '../audit/note';
import { complaintsOf, jsonOf, statementsOf, verdictAsJson } from '../audit/verdict-text';
import { verifyExport } from '../audit/verify';
import { filledText, keysOf } from './key-argument';
import { CommandFailed } from './report';

export interface VerifyFlags {
  readonly key: readonly string[];
  readonly witness: readonly string[];
  readonly since?: string;
  readonly strict?: boolean;
  readonly json?: boolean;
}

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const unreadable = (file: string): CommandFailed => new CommandFailed(`${file} can't be read.`);

/** Reads a file piece by piece while `work` asks for it. */
const reading = <T>(files: readonly string[], work: (...readers: ReadBytes[]) => T): T => {
  const descriptors: number[] = [];
  try {
    for (const file of files) {
      try {
        descriptors.push(openSync(file, 'r'));
      } catch {
        throw unreadable(file);
      }
    }
    return work(
      ...descriptors.map(
        (descriptor, at): ReadBytes =>
          (into) => {
            try {
              return readSync(descriptor, into);
            } catch {
              throw unreadable(files[at] as string);
            }
          },
      ),
    );
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
  }
};

/** The keys that this place's configuration names, where none is given. Throws `CommandFailed` where there is none. */
const configuredHere = (): { readonly keys: readonly VerifierKey[]; readonly developmentFile: string | null } => {
  const { loadAuditConfig } = require('../config/load') as typeof import('../config/load');
  const { configuredKeys } = require('../ledger/outside-keys') as typeof import('../ledger/outside-keys');
  const { audit } = loadAuditConfig({ signs: false });
  const { outside, areNone, developmentFile } = configuredKeys(audit);
  if (areNone)
    throw new CommandFailed(
      'No public key of the log is known here. Give the one that its owner published with --key; an export says nothing about who signed it.',
    );
  return { keys: outside(audit.origin), developmentFile };
};

/** `counterfoil audit verify`: needs neither the gateway nor its database nor a network. */
export const verify = (file: string, { key, witness, since, strict, json }: VerifyFlags): void => {
  const { keys, developmentFile } =
    key.length > 0
      ? { keys: distinctKeys(key.flatMap((argument) => keysOf(argument, '--key', parseVerifierKey))), developmentFile: null }
      : configuredHere();
  const witnesses = witness.flatMap((argument) => keysOf(argument, '--witness', parseWitnessKey));
  const csv = file.toLowerCase().endsWith('.csv') ? file : undefined;
  const manifest = csv === undefined ? file : manifestOf(csv);
  const kept = since === undefined ? undefined : filledText(since, 'checkpoint');
  const verdict = reading(csv === undefined ? [manifest] : [manifest, csv], (read, rows) =>
    verifyExport(read as ReadBytes, { keys, witnesses, since: kept, strict, csv: rows }),
  );
  if (json) print(jsonOf(verdictAsJson(verdict)));
  else for (const statement of statementsOf(verdict)) print(statement);
  if (developmentFile !== null && !json)
    print(`believed by the key in ${developmentFile}, which lies beside the log: good for development only`);
  if (!verdict.ok) throw new CommandFailed(complaintsOf(verdict, { export: manifest, csv }).join('\n'));
};
