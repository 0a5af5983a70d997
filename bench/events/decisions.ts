import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../src/config/load';
import { configOf, type Settings, writeSettings } from '../settings';

const folderOf = ({ folder }: Settings): string => join(folder, 'decisions');

/** Writes the policy with the pipeline's budget raised, and the issuer of its token. */
export const writeDecisionSettings = (settings: Settings, jwksUri: string): void => {
  const folder = folderOf(settings);
  writeSettings({ ...settings, folder }, jwksUri);
  const file = join(folder, 'exposure.yaml');
  const shipped = readFileSync(file, 'utf8');
  const policy = shipped.replace(/(perSubjectPerHour:) *\d+/, '$1 100000').replace(/(subjectsPerMinute:) *\d+/, '$1 10000000');
  if (policy === shipped) throw new Error('schema/exposure.yaml has no budget of decisions to raise');
  writeFileSync(file, policy);
};

/** As `configOf` over the same database and keys, with that policy and issuer. */
export const decisionsConfigOf = (settings: Settings): Config => {
  const { dataFolder, keyEncryption, audit } = configOf(settings);
  return { ...configOf({ ...settings, folder: folderOf(settings) }), dataFolder, keyEncryption, audit };
};
