import 'reflect-metadata';
import { runGateway } from './http/run';

runGateway().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
