import { resolve } from 'node:path';
import { z } from 'zod';
import { channelsOfFile, type DeliveryChannelNames } from './channels';
import { expectedOf, pathText } from './expected';
import { ConfigInvalid } from './problems';

const flag = (otherwise: boolean) =>
  z
    .enum(['true', 'false', '1', '0'], { error: 'expected true or false' })
    .optional()
    .transform((value) => (value === undefined ? otherwise : value === 'true' || value === '1'));

/** Those variables that commands read which touch neither database nor sources. */
export const localVariables = {
  /** `production` refuses whatever is only fit for trying out. A word that only resembles it must not open the development issuer. */
  NODE_ENV: z.enum(['production', 'development', 'test'], { error: 'expected production, development or test' }).optional(),
  /** Folder of the embedded database and of keys made for development. */
  DATA_DIR: z.string().min(1).default('.data'),
  /** Sources, identity and bounds; without it, in development, the demo merchant. */
  CONFIG_FILE: z.string().min(1).default('counterfoil.yaml'),
  /** Who sees what. */
  POLICY_FILE: z.string().min(1).default('schema/exposure.yaml'),
  /** Staff without a second factor see no policed field. Production refuses `false`. */
  MFA_REQUIRED: flag(true),
  /** The development issuer and its demo people. Production refuses `true`. */
  DEVELOPMENT_ISSUER: flag(false).optional(),
};

/** What commands read that touch neither database nor sources, so that they run where no secret is: in CI, on a laptop. */
export interface LocalConfig {
  readonly production: boolean;
  readonly developmentIssuer: boolean;
  readonly mfaRequired: boolean;
  readonly dataFolder: string;
  readonly policyFile: string;
  readonly channels: DeliveryChannelNames;
}

/**
 * Throws `ConfigInvalid` for these variables only. The channels are judged from the file alone, without the secrets that it
 * refers to.
 */
export const loadLocalConfig = (environment: NodeJS.ProcessEnv = process.env, folder = process.cwd()): LocalConfig => {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = z.object(localVariables).safeParse(given);
  if (!parsed.success) {
    throw new ConfigInvalid(
      parsed.error.issues.map((issue) => ({ in: 'environment', at: pathText(issue.path), expected: expectedOf(issue) })),
    );
  }
  const { NODE_ENV, DATA_DIR, CONFIG_FILE, POLICY_FILE, MFA_REQUIRED, DEVELOPMENT_ISSUER } = parsed.data;
  const production = NODE_ENV === 'production';
  return {
    production,
    developmentIssuer: DEVELOPMENT_ISSUER ?? !production,
    mfaRequired: MFA_REQUIRED,
    dataFolder: resolve(folder, DATA_DIR),
    policyFile: resolve(folder, POLICY_FILE),
    channels: channelsOfFile(resolve(folder, CONFIG_FILE), production),
  };
};
