import { ObjectType, registerEnumType } from 'type-graphql';
import type { CredentialUpdateKind } from '../../authz/policy/update-policy';
import { Exposed } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Part } from '../payments/part';
import { CredentialUpdateKindEnum } from './credential-update.type';
import { type UpdateBlock, updateBlocks } from './request/blocks';

const UpdateBlockEnum = enumOf(updateBlocks);
registerEnumType(UpdateBlockEnum, {
  name: 'UpdateBlock',
  valuesConfig: {
    NOT_OFFERED: { description: 'The policy doesn’t offer this kind of change.' },
    LINK: { description: 'Nobody knows surely enough who the customer is on the payment side.' },
    OWN_CONTACT: { description: 'What the customer would be sent reaches a mailbox of your own.' },
    QUOTA: { description: 'As many updates as may be asked for one customer a day were asked for.' },
    REMOVED: { description: 'The method is gone.' },
    READ_ONLY: { description: 'Methods of its source can only be read here.' },
    ALREADY_DEFAULT: { description: 'Payments are taken from it already.' },
    NOT_A_CARD: { description: 'Only a card can be replaced by a new card.' },
    IN_WALLET: { description: 'The address of a wallet is changed in the wallet.' },
    UNDER_WAY: { description: 'Another update of it is under way.' },
    NO_MAIL: { description: 'The payment side holds no e-mail address of the customer.' },
    NO_PHONE: { description: 'It needs a code, and the payment side holds no telephone number of the customer.' },
  },
});

/** What an offer rests on. The payment side's contact counts too, and is no field of the graph. */
const restsOn = [
  'Customer.link',
  'PaymentMethod.kind',
  'PaymentMethod.isDefault',
  'PaymentMethod.status',
  'CredentialUpdate.needsCode',
];

@ObjectType('UpdateOffer', {
  simpleResolvers: true,
  description: 'A kind of change of a payment method, and whether it can be started.',
})
export class UpdateOffer extends Part<{ readonly kind: CredentialUpdateKind; readonly blockedBy: UpdateBlock | null }> {
  @Exposed('INTERNAL', () => CredentialUpdateKindEnum)
  get kind(): CredentialUpdateKind {
    return this.row.kind;
  }

  @Exposed('PAYMENT', () => UpdateBlockEnum, {
    description:
      'Why it can’t be asked for, the first reason of several; null where it can, as far as what is stored tells: the provider isn’t asked, and a risk may call for more.',
    from: restsOn,
  })
  get blockedBy(): UpdateBlock | null {
    return this.row.blockedBy;
  }
}
