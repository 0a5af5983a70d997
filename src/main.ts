import './packed';
import 'reflect-metadata';
import { reportFailure } from './cli/report';
import { start } from './cli/start';

start().catch(reportFailure);
