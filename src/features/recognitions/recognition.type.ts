import { ID, ObjectType, registerEnumType } from 'type-graphql';
import type { LinkAssurance } from '../../authz/actor';
import { type Reached, reachedBy } from '../../db/reached';
import { Exposed } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { DateTime } from '../../graphql/scalars';
import type { Shown, ShownObject } from '../../graphql/shown';
import { ConfirmationOutcome, ConfirmationType } from '../credentials/credential-update.type';
import type { KeyedRow, Keys } from '../keys/keys.service';
import { recognitionStates } from './recognition.entity';
import type { RecognitionRow } from './recognition.rows';

const RecognitionStateEnum = enumOf(recognitionStates);
registerEnumType(RecognitionStateEnum, {
  name: 'RecognitionState',
  valuesConfig: {
    ASKED: { description: 'The customer was asked and has not answered, or the link is on its way.' },
    RECOGNIZED: { description: 'The customer says that the payment is theirs.' },
    DISOWNED: { description: 'The customer says that it isn’t. `hold` is what that placed.' },
    EXPIRED: { description: 'Nobody answered in time; the customer may be asked again.' },
    FAILED: { description: 'The customer could not be asked; the note on the ticket says why.' },
  },
});

@ObjectType('Recognition', {
  simpleResolvers: true,
  description:
    'The question to a customer whether a pending payment is theirs, and their answer. Only they give it, by a link to the address that the payment side holds.',
})
export class RecognitionType implements Shown {
  /** Nobody decides about an answer: what it tells of the customer is shown under an assistance alone. */
  readonly isForDecision = false;

  constructor(
    readonly row: RecognitionRow,
    private readonly keys: Keys,
  ) {}

  get shown(): ShownObject {
    return {
      type: 'Recognition',
      id: this.row.id,
      ticketId: this.row.ticketId,
      customer: this.keys.underDigest(this.row.customerId, this.row),
      underAssistance: true,
    };
  }

  get linkAssurance(): LinkAssurance {
    return this.row.currentLink;
  }

  get ticketId(): string {
    return this.row.ticketId;
  }

  get customerId(): Reached {
    return reachedBy(this.row, 'customerId');
  }

  get holdId(): string | null {
    return this.row.holdId;
  }

  get key(): KeyedRow {
    return this.row;
  }

  @Exposed('INTERNAL', () => ID)
  get id(): string {
    return this.row.id;
  }

  @Exposed('INTERNAL', () => RecognitionStateEnum)
  get state(): string {
    return this.row.state;
  }

  @Exposed('INTERNAL', () => DateTime)
  get askedAt(): Date {
    return this.row.askedAt;
  }

  @Exposed('INTERNAL', () => DateTime, { description: 'Until when the customer can answer.' })
  get expiresAt(): Date {
    return this.row.expiresAt;
  }

  @Exposed('INTERNAL', () => DateTime, { nullable: true })
  get answeredAt(): Date | null {
    return this.row.answeredAt;
  }

  @Exposed('INTERNAL', () => ConfirmationType, { nullable: true, description: 'Null until the customer has answered.' })
  get confirmation(): ConfirmationType | null {
    const { answeredAt, shownDigest, state } = this.row;
    if (answeredAt === null || shownDigest === null) return null;
    const outcome = state === 'DISOWNED' ? ConfirmationOutcome.REFUSED : ConfirmationOutcome.CONFIRMED;
    return new ConfirmationType(this, {
      outcome,
      channel: 'MAIL',
      proofs: ['link'],
      shownDigest,
      demandId: null,
      at: answeredAt,
    });
  }
}
