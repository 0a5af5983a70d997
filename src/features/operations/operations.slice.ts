import type { OperationLimits } from '../../graphql/limits.section';
import type { Core, Storage } from '../core';
import { servedGraph } from '../schema';
import { DocumentExaminer } from './examine';
import type { OperationsSection } from './operations.section';
import { Operations } from './operations.service';

export interface OperationsSettings {
  readonly operations: OperationsSection;
  readonly limits: OperationLimits;
  readonly production: boolean;
}

/** Holds documents against the graph as it is served. */
export const createExaminer = ({ limits, production }: Pick<OperationsSettings, 'limits' | 'production'>): DocumentExaminer =>
  new DocumentExaminer(servedGraph().schema, limits, !production);

/** The documents that clients may ask for by their hash. */
export const createOperations = ({ database, clock, log }: Core | Storage, settings: OperationsSettings): Operations =>
  new Operations({ database, clock, log, ...settings.operations, examiner: () => createExaminer(settings) });
