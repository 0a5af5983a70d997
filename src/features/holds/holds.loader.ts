import DataLoader from 'dataloader';
import type { SignedInActor } from '../../authz/actor';
import type { Keys } from '../keys/keys.service';
import { HoldTransitionType, HoldType } from './hold.type';
import type { HoldRow } from './holds.rows';
import type { Holds, OpenAmount } from './holds.service';

/** Holds as a request shows them, each relation of a level in one statement. */
export class HoldsLoader {
  private readonly byId: DataLoader<string, HoldRow | null>;
  private readonly byCustomer: DataLoader<string, readonly HoldRow[]>;
  private readonly amounts: DataLoader<HoldType, OpenAmount | null>;

  constructor(
    private readonly actor: SignedInActor,
    private readonly holds: Holds,
    private readonly keys: Keys,
  ) {
    this.byId = new DataLoader((ids) => holds.ofIds(ids), { maxBatchSize: 100 });
    this.byCustomer = new DataLoader((ids) => holds.ofCustomers(ids), { maxBatchSize: 100 });
    this.amounts = new DataLoader((shown) => holds.openAmounts(shown.map(({ row }) => row)));
  }

  historyOf(hold: HoldType): readonly HoldTransitionType[] {
    return hold.row.moves.map((move) => new HoldTransitionType(hold, move));
  }

  /** One that came of what the reader has reached already. */
  async ofId(id: string): Promise<HoldType | null> {
    const row = await this.byId.load(id);
    return row && this.toType(row);
  }

  /** The newest that cover this customer, whom the reader has reached already. */
  async ofCustomer(customerId: string): Promise<readonly HoldType[]> {
    return (await this.byCustomer.load(customerId)).map((row) => this.toType(row));
  }

  openAmountOf(hold: HoldType): Promise<OpenAmount | null> {
    return this.amounts.load(hold);
  }

  readonly toType = (row: HoldRow): HoldType =>
    new HoldType(row, this.keys, this.holds.forDecision(this.actor, row), this.holds.now);
}
