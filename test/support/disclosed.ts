import type { TestApp } from './app';

type Field = [field: string, verdict: string, count: number];
interface Told {
  readonly fields?: Field[];
  readonly plan: string;
  readonly counts: Readonly<Record<string, readonly number[]>>;
  readonly others?: readonly Field[];
}
interface Stated {
  readonly subject: { readonly id: string };
  readonly detail: { readonly links: readonly string[]; readonly fields: readonly (readonly string[])[] };
}

/** What a disclosure says was shown, sorted: read off its leaf and that of its plan, without the product's own reader. */
export const shownIn = async (test: TestApp, event: Record<string, unknown> | undefined): Promise<Field[]> => {
  const told = (event as { detail: Told }).detail;
  if (told.fields) return [...told.fields].sort();
  const plans = (await test.events('plan.register')) as unknown as Stated[];
  const plan = plans.find(({ subject }) => subject.id === told.plan);
  if (!plan) throw new Error('the plan of this disclosure is not in the log');
  const sums = new Map<string, number>();
  const add = (field: string, verdict: string, count: number) => {
    const key = `${field} ${verdict}`;
    if (count > 0) sums.set(key, (sums.get(key) ?? 0) + count);
  };
  plan.detail.fields.forEach(([field, ...verdicts], row) => {
    plan.detail.links.forEach((link, column) => {
      add(field as string, verdicts[column] as string, told.counts[link]?.[row] ?? 0);
    });
  });
  for (const other of told.others ?? []) add(...other);
  return [...sums].map(([key, count]): Field => [...(key.split(' ') as [string, string]), count]).sort();
};
