/** The source of what the gateway tells of by itself. */
export const ownSource = 'counterfoil';
