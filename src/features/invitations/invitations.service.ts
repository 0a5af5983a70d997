import { dead, type InvitationAnswer, type InvitationDesk, type InvitationInput, type InvitationView } from './invitation.view';

/**
 * One address for all links: whatever a token asks about, it is looked for at each purpose's own desk. A token is known to one
 * of them at most; at all others, and where it can't be answered any more, it is dead, and nothing happens there.
 */
export class Invitations<View extends InvitationView, Field extends string, Input extends InvitationInput>
  implements InvitationDesk<View, Field, Input>
{
  constructor(private readonly desks: readonly InvitationDesk<View, Field, Input>[]) {}

  async view(token: string): Promise<View | null> {
    for (const desk of this.desks) {
      const view = await desk.view(token);
      if (view !== null) return view;
    }
    return null;
  }

  sendCode(token: string): Promise<InvitationAnswer<View, Field>> {
    return this.first((desk) => desk.sendCode(token));
  }

  confirm(token: string, input: Input): Promise<InvitationAnswer<View, Field>> {
    return this.first((desk) => desk.confirm(token, input));
  }

  refuse(token: string, shown: string, agreed?: boolean): Promise<InvitationAnswer<View, Field>> {
    return this.first((desk) => desk.refuse(token, shown, agreed));
  }

  private async first(
    ask: (desk: InvitationDesk<View, Field, Input>) => Promise<InvitationAnswer<View, Field>>,
  ): Promise<InvitationAnswer<View, Field>> {
    for (const desk of this.desks) {
      const answer = await ask(desk);
      if (answer.outcome !== 'dead') return answer;
    }
    return dead;
  }
}
