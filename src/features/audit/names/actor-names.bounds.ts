/** Actors whose names are looked up at once. */
export const mostNames = 50;
