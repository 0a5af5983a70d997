import { type DenialReason, Failure } from '../failure';
import { type Actor, isSignedIn } from './actor';

/**
 * A rule is a claim about an actor and a subject, over state that is already loaded: pure, synchronous, no I/O,
 * so that a fault of the database can never read as a denial. `reason` is what the denied caller is told.
 */
export interface Rule<Subject = unknown> {
  (actor: Actor, subject: Subject): boolean;
  readonly reason: DenialReason;
  /** Which part failed for this actor and subject; for combined rules. */
  readonly explain?: (actor: Actor, subject: Subject) => DenialReason;
}

export const rule = <Subject>(reason: DenialReason, claim: (actor: Actor, subject: Subject) => boolean): Rule<Subject> =>
  Object.assign((actor: Actor, subject: Subject) => claim(actor, subject) === true, { reason });

/** Why the rule says no. */
export const reasonOf = <Subject>(of: Rule<Subject>, actor: Actor, subject: Subject): DenialReason =>
  of.explain?.(actor, subject) ?? of.reason;

export const allOf = <Subject>(...rules: readonly Rule<Subject>[]): Rule<Subject> => {
  const failing = (actor: Actor, subject: Subject) => rules.find((each) => !each(actor, subject));
  return Object.assign((actor: Actor, subject: Subject) => rules.length > 0 && failing(actor, subject) === undefined, {
    reason: rules[0]?.reason ?? ('ROLE' as const),
    explain: (actor: Actor, subject: Subject) => {
      const first = failing(actor, subject);
      return first ? reasonOf(first, actor, subject) : 'ROLE';
    },
  });
};

export const anyOf = <Subject>(...rules: readonly Rule<Subject>[]): Rule<Subject> =>
  Object.assign((actor: Actor, subject: Subject) => rules.some((each) => each(actor, subject)), {
    reason: rules[0]?.reason ?? ('ROLE' as const),
  });

/** What is authorized and what is audited, under one name: `assistance.begin`, `credential.approve`. */
export interface Action<Subject = unknown, Name extends string = string> {
  readonly name: Name;
  readonly rule: Rule<Subject>;
  /** The ticket that a denial of it is about; null where its subject belongs to none. */
  readonly ticketOf: (subject: Subject) => string | null;
}

export const action = <const Name extends string, Subject>(
  name: Name,
  permitted: Rule<Subject>,
  ticketOf: (subject: Subject) => string | null = () => null,
): Action<Subject, Name> => ({ name, rule: permitted, ticketOf });

/** Throws the `DENIED` failure of an action that its rule forbids. */
export const permit = <Subject>(actor: Actor, of: Action<Subject>, subject: Subject): void => {
  if (!of.rule(actor, subject)) throw Failure.denied(reasonOf(of.rule, actor, subject), of.name, of.ticketOf(subject));
};

export const hasRole = (...accepted: readonly string[]): Rule<unknown> =>
  rule('ROLE', (actor) => isSignedIn(actor) && actor.roles.some((role) => accepted.includes(role)));

export const hasMfa: Rule<unknown> = rule('MFA_REQUIRED', (actor) => isSignedIn(actor) && actor.mfa);
