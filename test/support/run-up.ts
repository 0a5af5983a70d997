import { makeScratch } from './scratch';

export default (): void => makeScratch();
