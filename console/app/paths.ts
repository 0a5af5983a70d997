import paths from './paths.json';

export { paths };
export type Place = keyof typeof paths;

/** The address of a place, with what stands in it written so that it stays one part. */
export const pathTo = (place: Place, parts: Readonly<Record<string, string>> = {}): string =>
  paths[place].replace(/:(\w+)/g, (_whole, name: string) => encodeURIComponent(parts[name] ?? ''));
