import { readdirSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const here = createRequire(__filename);

/**
 * What libraries load at once and this gateway never asks them for, or not at its start: from which package, and what; with a slash at
 * the end, each file of a folder. Each is loaded when the first of its exports is read.
 */
const unused: readonly (readonly [dependent: string, requests: readonly string[]])[] = [
  // Its messages in fifty languages.
  ['zod', ['./v4/locales/index.cjs']],
  // Shapes of arguments, for its input rules.
  ['graphql-shield', ['yup']],
  // Graphs made of text, and of other graphs.
  ['graphql-middleware', ['@graphql-tools/schema']],
  ['@apollo/server', ['@graphql-tools/schema']],
  // Scalars for types that the graph doesn't have, and publishing for subscriptions.
  [
    'type-graphql',
    [
      'graphql-scalars',
      '@graphql-yoga/subscription',
      './utils/buildTypeDefsAndResolvers.js',
      './utils/createResolversMap.js',
      './utils/emitSchemaDefinitionFile.js',
    ],
  ],
  // What tools do with a graph.
  [
    'graphql',
    [
      './utilities/buildASTSchema.js',
      './utilities/buildClientSchema.js',
      './utilities/concatAST.js',
      './utilities/extendSchema.js',
      './utilities/findBreakingChanges.js',
      './utilities/getIntrospectionQuery.js',
      './utilities/introspectionFromSchema.js',
      './utilities/lexicographicSortSchema.js',
      './utilities/resolveSchemaCoordinate.js',
      './utilities/separateOperations.js',
      './utilities/stripIgnoredCharacters.js',
    ],
  ],
  // A connection within the process, for tests of servers without one.
  ['@fastify/websocket', ['duplexify']],
  // Exemplars, quantiles, and metrics of several processes or that are sent somewhere.
  ['prom-client', ['@opentelemetry/api', './lib/cluster.js', './lib/exemplar.js', './lib/pushgateway.js', './lib/summary.js']],
  // Lines that another thread writes, or that go to several places.
  ['pino', ['./lib/multistream.js', './lib/transport.js']],
  // A connection as a stream.
  ['ws', ['./lib/stream.js']],
  // Its own log and cache, entities found in folders, what it writes by itself, a schema of its own, its faults, and the drivers of databases
  // that aren't ours, or not this time.
  [
    'typeorm',
    [
      './cache/DbQueryResultCache.js',
      './cache/RedisQueryResultCache.js',
      './entity-schema/EntitySchemaEmbeddedError.js',
      './error/',
      './logger/DebugLogger.js',
      './logger/FileLogger.js',
      './logger/FormattedConsoleLogger.js',
      './logger/SimpleConsoleLogger.js',
      './persistence/EntityPersistExecutor.js',
      './schema-builder/table/',
      './entity-manager/MongoEntityManager.js',
      './entity-manager/SqljsEntityManager.js',
      './query-builder/DeleteQueryBuilder.js',
      './query-builder/InsertQueryBuilder.js',
      './query-builder/RelationQueryBuilder.js',
      './query-builder/RelationRemover.js',
      './query-builder/RelationUpdater.js',
      './query-builder/SoftDeleteQueryBuilder.js',
      './query-builder/UpdateQueryBuilder.js',
      './repository/MongoRepository.js',
      './repository/TreeRepository.js',
      './driver/mysql/MysqlDriver.js',
      '@sqltools/formatter',
      'sql-highlight',
      'tinyglobby',
      'debug',
      './driver/aurora-mysql/AuroraMysqlDriver.js',
      './driver/aurora-postgres/AuroraPostgresDriver.js',
      './driver/capacitor/CapacitorDriver.js',
      './driver/cockroachdb/CockroachDriver.js',
      './driver/cordova/CordovaDriver.js',
      './driver/expo/ExpoDriver.js',
      './driver/mongodb/MongoDriver.js',
      './driver/nativescript/NativescriptDriver.js',
      './driver/oracle/OracleDriver.js',
      './driver/postgres/PostgresDriver.js',
      './driver/react-native/ReactNativeDriver.js',
      './driver/sap/SapDriver.js',
      './driver/spanner/SpannerDriver.js',
      './driver/sqljs/SqljsDriver.js',
      './driver/sqlserver/SqlServerDriver.js',
    ],
  ],
];

/** What libraries load whole and read one thing of, which has a file of its own there: dependent, package, thing, file. */
const partly: readonly (readonly [dependent: string, request: string, name: string, file: string])[] = [
  // Whether a plugin is for this version, and a graph for that one.
  ['fastify', 'semver', 'satisfies', 'semver/functions/satisfies'],
];

/**
 * Puts a stand-in into `require.cache`, which Node lets a program do, so that the file itself is read once one of its exports is.
 * Most of these are compiled from ES modules and say so, which compilers ask before anything is used.
 */
const defer = (file: string, part?: { readonly name: string; readonly file: string }): void => {
  const { cache } = here;
  if (cache[file]) return;
  let loaded: object | undefined;
  const load = (): object => {
    if (!loaded) {
      delete cache[file];
      loaded = here(file) as object;
    }
    return loaded;
  };
  const standIn = new Module(file);
  standIn.filename = file;
  standIn.loaded = true;
  standIn.exports = new Proxy(
    // Some are a function or a class, and only of such a thing a proxy is one. A bound one has no `prototype` that would have to be shown.
    Function.prototype.bind.call(class {}, null),
    {
      apply: (_, self, given) => Reflect.apply(load() as () => unknown, self, given),
      construct: (_, given) => Reflect.construct(load() as new () => object, given),
      get: (_, name) => {
        if (part) return name === '__esModule' ? undefined : name === part.name ? here(part.file) : Reflect.get(load(), name);
        return name === '__esModule' ? true : Reflect.get(load(), name);
      },
      has: (_, name) => Reflect.has(load(), name),
      ownKeys: () => Reflect.ownKeys(load()),
      getOwnPropertyDescriptor: (_, name) => {
        const found = Reflect.getOwnPropertyDescriptor(load(), name);
        // Of a property that its target hasn't, a proxy may only say that it can go.
        return found && { ...found, configurable: true };
      },
    },
  );
  cache[file] = standIn;
};

for (const [dependent, requests] of unused) {
  const entry = here.resolve(dependent);
  const { resolve } = createRequire(entry);
  for (const request of requests) {
    const file = request.startsWith('./') ? join(dirname(entry), request) : resolve(request);
    if (request.endsWith('/')) for (const each of readdirSync(file)) each.endsWith('.js') && defer(join(file, each));
    else defer(file);
  }
}

for (const [dependent, request, name, file] of partly) {
  const { resolve } = createRequire(here.resolve(dependent));
  defer(resolve(request), { name, file: resolve(file) });
}
