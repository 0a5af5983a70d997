import { catalogue, type EventName } from '../../src/audit/events';

interface Kind {
  readonly reads: string;
  readonly outcome?: string;
  readonly subject?: string | readonly (string | null)[];
  readonly detail?: Shape | readonly Shape[];
  readonly notes?: readonly string[];
}
type Shape = Readonly<Record<string, { readonly isOptional: boolean; readonly isLater?: true }>>;

/** What a leaf says that the catalogue of events doesn't have; null where it is as the catalogue says. */
export const misfitOf = (leaf: Readonly<Record<string, unknown>>): string | null => {
  const name = leaf.action as string;
  const kind: Kind | undefined = catalogue[name as EventName];
  if (!kind) return `${name} isn't in the catalogue`;
  const { outcome = 'ALLOWED', notes = [] } = kind;
  const type = (leaf.subject as { type: string } | null)?.type ?? null;
  const keys = Object.keys(leaf.detail as object);
  const fits = [kind.detail ?? {}].flat().some((shape) => {
    const required = Object.keys(shape).filter((key) => !(shape as Shape)[key]?.isOptional && !(shape as Shape)[key]?.isLater);
    return keys.every((key) => key in shape) && required.every((key) => keys.includes(key));
  });
  if (leaf.outcome !== outcome) return `${name} is ${String(leaf.outcome)}`;
  if (![kind.subject ?? null].flat().includes(type)) return `${name} is about ${type}`;
  if (!fits) return `${name} states ${keys.join(', ')}`;
  const others = Object.keys(leaf.notes as object).filter((note) => !notes.includes(note));
  return others.length > 0 ? `${name} has the notes ${others.join(', ')}` : null;
};
