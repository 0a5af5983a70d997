import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const script = join(__dirname, '..', '..', 'scripts', 'console.mjs');

/** The folder of the console, made once a run. Whoever is first makes it; when two workers are, one of the two is kept. */
export const builtConsole = (): string => {
  const kept = join(process.env.TEST_SCRATCH as string, 'console');
  if (existsSync(kept)) return kept;
  const made = mkdtempSync(join(process.env.TEST_SCRATCH as string, 'console-'));
  execFileSync(process.execPath, [script, made]);
  try {
    renameSync(made, kept);
  } catch (error) {
    if (!existsSync(kept)) throw error;
    rmSync(made, { recursive: true, force: true });
  }
  return kept;
};

export interface ConsoleLoads {
  /** By page, what it loads at once. */
  readonly pages: Readonly<Record<string, readonly string[]>>;
  /** By screen, what it loads beside its page. */
  readonly screens: Readonly<Record<string, readonly string[]>>;
  /** The file of the verifier's module, loaded where somebody wants a proof. */
  readonly proof: string;
}

export const consoleLoads = (): ConsoleLoads =>
  JSON.parse(readFileSync(join(builtConsole(), 'loads.json'), 'utf8')) as ConsoleLoads;

/** Bytes that these files take on their way, compressed with gzip. */
export const gzipBytes = (files: readonly string[]): number =>
  files.reduce((sum, name) => sum + statSync(join(builtConsole(), `${name}.gz`)).size, 0);
