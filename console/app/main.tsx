import { Console, loadScreenAt } from './console';
import { draw } from './draw';

void draw(<Console />, loadScreenAt(location.pathname));
