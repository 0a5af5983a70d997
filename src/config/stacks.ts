/** Whether failures of the command line come with their stack. */
export const wantsStacks = (environment: NodeJS.ProcessEnv = process.env): boolean => Boolean(environment.DEBUG);
