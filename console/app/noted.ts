/** A promise as React notes it on one that it has waited for itself (`use`): what is there is drawn at once, and not after a fallback. */
export const noted = <T>(promise: Promise<T>): Promise<T> => {
  promise.then(
    (value) => Object.assign(promise, { status: 'fulfilled', value }),
    () => {},
  );
  return promise;
};
