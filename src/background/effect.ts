import { Flag, Instant, Integer, Key, Text } from '../db/columns';

/** `DROPPED`: not to be made any more. */
export type EffectState = 'PLANNED' | 'INTENDED' | 'LOST' | 'DONE' | 'REFUSED' | 'DROPPED';

/**
 * The columns that make a row a call to the outside: what is intended is written down before it is made, what came of it
 * afterwards. A slice's own entity extends it by whatever else it keeps of the call.
 */
export abstract class StoredEffect {
  @Key() id!: string;
  @Text(16) state!: EffectState;
  /** The idempotency key is derived from what the effect is of, and this number. */
  @Integer({ name: 'key_generation' }) keyGeneration!: number;
  /** When the current key was first sent. */
  @Instant({ name: 'key_used_at', nullable: true }) keyUsedAt!: Date | null;
  /** The other side answered with a fault that it would repeat for this key. */
  @Flag({ name: 'key_spent' }) keySpent!: boolean;
  @Text(32, { nullable: true }) refusal!: string | null;
  @Instant({ name: 'ended_at', nullable: true }) endedAt!: Date | null;
}

/** Still to be made, or to be asked about. */
export const pendingStates: readonly EffectState[] = ['PLANNED', 'INTENDED', 'LOST'];

/** It is still to be made, or to be asked about. */
export const isPending = ({ state }: { readonly state: EffectState }): boolean => pendingStates.includes(state);

/** What a call's columns hold while nothing of it was sent. */
export const planned = (): Omit<StoredEffect, 'id'> => ({
  state: 'PLANNED',
  keyGeneration: 1,
  keyUsedAt: null,
  keySpent: false,
  refusal: null,
  endedAt: null,
});

/** Some call of it may have arrived. */
export const wasSent = ({ keyUsedAt, keyGeneration }: Pick<StoredEffect, 'keyUsedAt' | 'keyGeneration'>): boolean =>
  keyUsedAt !== null || keyGeneration > 1;

/** The same for every try, until it can't be trusted any more. */
export const effectKey = (of: string, { keyGeneration }: Pick<StoredEffect, 'keyGeneration'>): string => `${of}/${keyGeneration}`;

/** What is told of an effect, each time in a change of its own. */
export type Happening<Refusal extends string> =
  /** It is made now: from here on nobody knows, until something else is told. */
  | { readonly happened: 'intended' }
  /** The call didn't leave. `wasSent`: one before it did. */
  | { readonly happened: 'not-sent'; readonly wasSent: boolean }
  | { readonly happened: 'done' }
  | { readonly happened: 'refused'; readonly why: Refusal }
  /** It was sent, or may have been, and no answer came back. */
  | { readonly happened: 'lost'; readonly keySpent: boolean }
  /** Nobody knew, or the key was too old, and the other side was asked: it doesn't hold. */
  | { readonly happened: 'absent' };

type Happened = Happening<string>['happened'];

/** In which states an effect may be told what. */
const tellable: Readonly<Record<Happened, readonly EffectState[]>> = {
  intended: ['PLANNED'],
  'not-sent': ['INTENDED'],
  done: ['PLANNED', 'INTENDED', 'LOST'],
  refused: ['INTENDED'],
  lost: ['INTENDED'],
  absent: ['PLANNED', 'LOST'],
};

/** The other side may no longer know the key: before it is used again it is asked whether a call under it had its effect. */
export const isKeyOld = ({ keyUsedAt }: Pick<StoredEffect, 'keyUsedAt'>, at: Date, keyLifetime: number): boolean =>
  keyUsedAt !== null && at.getTime() - keyUsedAt.getTime() > keyLifetime;

/** It can't come to this from there: somebody else was at it, or it was dropped. */
export class EffectElsewhere extends Error {
  constructor(state: EffectState, happened: Happened) {
    super(`an effect that is ${state} can’t be told ${happened}`);
    this.name = 'EffectElsewhere';
  }
}

/**
 * Makes a row state what happened to its effect. `keyLifetime`: for how many milliseconds the other side surely knows a key
 * again. Throws `EffectElsewhere`.
 */
export const tellEffect = (effect: StoredEffect, told: Happening<string>, at: Date, keyLifetime: number): void => {
  if (!tellable[told.happened].includes(effect.state)) throw new EffectElsewhere(effect.state, told.happened);
  switch (told.happened) {
    case 'intended':
      effect.state = 'INTENDED';
      effect.keyUsedAt ??= at;
      return;
    case 'not-sent':
      effect.state = 'PLANNED';
      if (!told.wasSent) effect.keyUsedAt = null;
      return;
    case 'done':
      effect.state = 'DONE';
      effect.endedAt = at;
      return;
    case 'refused':
      effect.state = 'REFUSED';
      effect.refusal = told.why;
      effect.endedAt = at;
      return;
    case 'lost':
      effect.state = 'LOST';
      effect.keySpent ||= told.keySpent;
      return;
    case 'absent':
      // The same key again, so that a call which is still on its way can't have its effect twice; another one only where
      // the other side would repeat a fault for this key, or would no longer know it.
      if (effect.keySpent || isKeyOld(effect, at, keyLifetime)) {
        effect.keyGeneration += 1;
        effect.keyUsedAt = null;
        effect.keySpent = false;
      }
      effect.state = 'PLANNED';
  }
};
