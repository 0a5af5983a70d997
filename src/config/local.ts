import { resolve } from 'node:path';
import { outlineOfFile, type PolicyOutline } from './channels';
import { type Environment, processEnvironment } from './environment';
import { ConfigInvalid } from './problems';
import { localSchema, readVariables } from './variables';

/** What commands read that touch neither database nor sources, so that they run where no secret is: in CI, on a laptop. */
export interface LocalConfig extends PolicyOutline {
  readonly production: boolean;
  readonly developmentIssuer: boolean;
  readonly mfaRequired: boolean;
  readonly dataFolder: string;
  readonly policyFile: string;
  readonly rulesFile: string;
}

/**
 * Throws `ConfigInvalid` for these variables only. Channels and frames are judged from the file alone, without the secrets that it
 * refers to.
 */
export const loadLocalConfig = (environment: Environment = processEnvironment(), folder = process.cwd()): LocalConfig => {
  const { variables, problems } = readVariables(localSchema, environment);
  if (problems.length > 0) throw new ConfigInvalid(problems);
  const { NODE_ENV, DATA_DIR, CONFIG_FILE, POLICY_FILE, RULES_FILE, MFA_REQUIRED, DEVELOPMENT_ISSUER } = variables;
  const production = NODE_ENV === 'production';
  return {
    production,
    developmentIssuer: DEVELOPMENT_ISSUER ?? !production,
    mfaRequired: MFA_REQUIRED,
    dataFolder: resolve(folder, DATA_DIR),
    policyFile: resolve(folder, POLICY_FILE),
    rulesFile: resolve(folder, RULES_FILE),
    ...outlineOfFile(resolve(folder, CONFIG_FILE), production),
  };
};
