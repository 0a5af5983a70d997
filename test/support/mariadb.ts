export { freePort, newDatabase, PrivateMariaDb } from '../../bench/support/mariadb';
