import { action, allOf, hasRole, rule } from '../../authz/rule';

const isService = allOf<unknown>(
  hasRole('SERVICE'),
  rule('ROLE', (actor) => actor.kind === 'service'),
);

/** The payment pipeline alone asks and answers; which of its demands are a service's own is narrowed in SQL. */
export const decisionActions = {
  make: action('decision.make', isService),
  satisfy: action('demand.satisfy', isService),
};
