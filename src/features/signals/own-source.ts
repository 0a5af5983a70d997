/** The source of what the gateway tells of by itself. */
export const ownSource = 'counterfoil';

/** By which whoever makes signals of the log is told from others who read. */
export const logReader = 'log';
