/* Decorators of tables. TypeORM's own index loads all that it can do, several hundred modules. */
export { Entity } from 'typeorm/decorator/entity/Entity';
export { Index } from 'typeorm/decorator/Index';
