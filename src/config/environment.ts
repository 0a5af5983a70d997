import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute } from 'node:path';

export type Environment = NodeJS.ProcessEnv;

/** This process's own: nothing else reads it. */
export const processEnvironment = (): Environment => process.env;

/**
 * A variable's value or, where `NAME_FILE` is given instead, the content of that file without its last line break: what
 * stands in the environment is seen by everybody who may inspect the process or its container. Undefined where the file can't be read.
 */
export const secretValue = (environment: Environment, name: string): string | undefined => {
  const file = environment[`${name}_FILE`];
  if (environment[name] || !file) return environment[name];
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch {
    return undefined;
  }
};

/** Whether failures of the command line come with their stack. */
export const wantsStacks = (environment: Environment = processEnvironment()): boolean => Boolean(environment.DEBUG);

/** Where a socket goes whose path beside the database would be too long: what the system keeps for this user, or everybody's. */
export const runtimeFolder = ({ XDG_RUNTIME_DIR: folder }: Environment = processEnvironment()): string =>
  folder && isAbsolute(folder) ? folder : tmpdir();
