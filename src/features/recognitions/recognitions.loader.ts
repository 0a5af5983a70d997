import DataLoader from 'dataloader';
import type { Keys } from '../keys/keys.service';
import type { RecognitionRow } from './recognition.rows';
import { RecognitionType } from './recognition.type';
import type { Recognitions } from './recognitions.service';

/** Questions as a request shows them, each relation of a level in one statement. */
export class RecognitionsLoader {
  private readonly byTicket: DataLoader<string, readonly RecognitionType[]>;

  constructor(
    recognitions: Recognitions,
    private readonly keys: Keys,
  ) {
    this.byTicket = new DataLoader(
      async (ticketIds) => (await recognitions.ofTickets(ticketIds)).map((rows) => rows.map(this.toType)),
      { maxBatchSize: 100 },
    );
  }

  ofTicket(ticketId: string): Promise<readonly RecognitionType[]> {
    return this.byTicket.load(ticketId);
  }

  readonly toType = (row: RecognitionRow): RecognitionType => new RecognitionType(row, this.keys);
}
