/** A value of a form as Stripe's API reads it: text, or what brackets nest. */
export type FormValue = string | FormValue[] | { readonly [name: string]: FormValue };
export type FormFields = Readonly<Record<string, FormValue>>;

type Branch = Map<string, Branch | string>;

const settled = (branch: Branch): FormValue => {
  const entries = [...branch].map(([name, value]): [string, FormValue] => [
    name,
    typeof value === 'string' ? value : settled(value),
  ]);
  const isList = entries.length > 0 && entries.every(([name], index) => name === String(index));
  return isList ? entries.map(([, value]) => value) : Object.fromEntries(entries);
};

/** `a[b][c]=1&d[0]=2` as `{ a: { b: { c: '1' } }, d: ['2'] }`; `d[]` counts on. */
export const parseForm = (text: string): FormFields => {
  const root: Branch = new Map();
  for (const [name, value] of new URLSearchParams(text)) {
    const names = [name.replace(/\[.*$/s, ''), ...[...name.matchAll(/\[([^\]]*)\]/g)].map(([, inner]) => inner ?? '')];
    let branch = root;
    names.forEach((each, depth) => {
      const key = each === '' ? String(branch.size) : each;
      if (depth === names.length - 1) {
        branch.set(key, value);
        return;
      }
      const under = branch.get(key);
      const next: Branch = under instanceof Map ? under : new Map();
      branch.set(key, next);
      branch = next;
    });
  }
  return root.size === 0 ? {} : (settled(root) as FormFields);
};

/** The names of a form's fields, written with brackets; the position in a list is left out: `d[]`. */
export const fieldNames = (value: FormValue, name = ''): readonly string[] => {
  if (typeof value === 'string') return [name];
  if (Array.isArray(value)) return value.flatMap((each) => fieldNames(each, `${name}[]`));
  return Object.entries(value).flatMap(([inner, each]) => fieldNames(each, name === '' ? inner : `${name}[${inner}]`));
};
