/** What a customer who has a link is shown, whatever they are asked. All texts are plain; whoever writes them into a page escapes them. */
export interface InvitationView {
  /** What is asked: it says which pages show it. */
  readonly kind: string;
  /** As customers know it. */
  readonly merchant: string;
  /** Until when the link works. */
  readonly expiresAt: Date;
  /** Null where no code is asked for. */
  readonly code: CodeView | null;
  /** Digest of all that the customer decides on: whoever answers sends it back, and it must still be true. */
  readonly shown: string;
}

export interface CodeView {
  /** Masked; null until one was sent. */
  readonly sentTo: string | null;
  readonly triesLeft: number;
  readonly sendsLeft: number;
}

/** What a customer sends with their yes. */
export interface InvitationInput {
  readonly shown: string;
  readonly code: string;
  /** They said by a choice of its own that it is theirs. */
  readonly agreed?: boolean;
}

/** Why nothing happened: beside the field that it is about, or above all of them. */
export type Problem<Field extends string> = readonly [field: Field | null, message: string];

export interface Again<View, Field extends string> {
  readonly outcome: 'again';
  readonly view: View;
  readonly problems: readonly { readonly field: Field | null; readonly message: string }[];
}

export interface Dead {
  readonly outcome: 'dead';
}

/** What became of an answer. `again`: nothing happened, and here is why; `dead`: the link can't be used, for whatever reason. */
export type InvitationAnswer<View, Field extends string> =
  | { readonly outcome: 'confirmed'; readonly view: View; readonly waitsForApproval: boolean }
  | { readonly outcome: 'refused'; readonly view: View }
  | { readonly outcome: 'continue'; readonly view: View }
  | Again<View, Field>
  | Dead;

/** The link can't be used, for whatever reason. */
export const dead: Dead = { outcome: 'dead' };

/** Nothing happened, for these reasons. */
export const again = <View, Field extends string = never>(
  view: View,
  problems: readonly Problem<Field>[],
): Again<View, Field> => ({
  outcome: 'again',
  view,
  problems: problems.map(([field, message]) => ({ field, message })),
});

/** The customer's side of what they are asked, by the token of their link. Whoever has the token is the customer. */
export interface InvitationDesk<View extends InvitationView, Field extends string, Input extends InvitationInput> {
  /** Changes nothing: mail scanners follow links. Null for a token that can't be used, for whatever reason. */
  view(token: string): Promise<View | null>;
  /** Sends a fresh code by the second channel. */
  sendCode(token: string): Promise<InvitationAnswer<View, Field>>;
  confirm(token: string, input: Input): Promise<InvitationAnswer<View, Field>>;
  /** `agreed` as for a yes, where a no has consequences of its own. */
  refuse(token: string, shown: string, agreed?: boolean): Promise<InvitationAnswer<View, Field>>;
}
