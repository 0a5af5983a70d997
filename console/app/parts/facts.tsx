import type { ReactNode } from 'react';
import type { Refusal } from '../graph/refusals';
import { NotShown } from './notices';

export interface Fact {
  readonly term: string;
  readonly is: ReactNode;
  /** Why it isn't shown; null where it is. */
  readonly refusal?: Refusal | null;
}

/** What is known of something, each under its name. What was refused says so in its place. */
export const Facts = ({ facts }: { readonly facts: readonly (Fact | null)[] }) => (
  <dl className="facts">
    {facts
      .filter((fact) => fact !== null)
      .map(({ term, is, refusal = null }) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{refusal === null ? is : <NotShown refusal={refusal} />}</dd>
        </div>
      ))}
  </dl>
);
