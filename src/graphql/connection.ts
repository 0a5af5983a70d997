import { type ClassType, Int, ObjectType } from 'type-graphql';
import { largestPage } from './cursor';
import { Exposed } from './decorators';
import { Guarded, open } from './guarded';
import { Listed } from './listed';

/** Relay, GraphQL Cursor Connections: where a page ends and whether there is more. */
@ObjectType({ simpleResolvers: true })
export class PageInfo {
  @Exposed('INTERNAL', () => Boolean)
  hasNextPage!: boolean;

  @Exposed('INTERNAL', () => Boolean)
  hasPreviousPage!: boolean;

  @Exposed('INTERNAL', () => String, { nullable: true })
  startCursor!: string | null;

  @Exposed('INTERNAL', () => String, { nullable: true })
  endCursor!: string | null;
}

export interface Page<Node> {
  readonly nodes: readonly Node[];
  /** Made when asked for: sealing one costs more than reading the row it stands for. */
  readonly cursorAt: (index: number) => string;
  /** Throws where nobody asked for it, and the row that would tell it wasn't read. */
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** Counts what the reader may see, when asked. */
  readonly count: () => Promise<number>;
}

export interface Connection<Node> {
  readonly nodes: readonly Node[];
  readonly edges: readonly { readonly cursor: string; readonly node: Node }[];
  readonly pageInfo: PageInfo;
}

/** A field that a connection has beside those of every one. */
interface OwnField {
  readonly type: () => unknown;
  readonly description: string;
  readonly nullable?: boolean;
}

/** The connection and edge types of a node, with the class that makes one out of a page, and of the values of its `own` fields. */
export const connectionOf = <Node extends object, Own extends string = never>(
  name: string,
  node: () => ClassType<Node>,
  own: Readonly<Record<Own, OwnField>> = {} as Readonly<Record<Own, OwnField>>,
) => {
  @ObjectType(`${name}Edge`, { simpleResolvers: true })
  class Edge {
    @Exposed('INTERNAL', () => String)
    cursor!: string;

    @Exposed('INTERNAL', node)
    node!: Node;
  }

  @ObjectType(`${name}Connection`, { simpleResolvers: true })
  class NodeConnection implements Connection<Node> {
    constructor(
      private readonly page: Page<Node>,
      values?: Readonly<Record<Own, unknown>>,
    ) {
      Object.assign(this, values);
    }

    @Listed({ most: largestPage, ofPage: true })
    @Exposed('INTERNAL', () => [Edge])
    get edges(): readonly Edge[] {
      const { nodes, cursorAt } = this.page;
      return nodes.map((node, index) => ({
        get cursor() {
          return cursorAt(index);
        },
        node,
      }));
    }

    @Listed({ most: largestPage, ofPage: true })
    @Exposed('INTERNAL', () => [node()])
    get nodes(): readonly Node[] {
      return this.page.nodes;
    }

    @Exposed('INTERNAL', () => PageInfo)
    get pageInfo(): PageInfo {
      const { page } = this;
      const { nodes, cursorAt } = page;
      return {
        get hasNextPage() {
          return page.hasNextPage;
        },
        hasPreviousPage: page.hasPreviousPage,
        get startCursor() {
          return nodes.length > 0 ? cursorAt(0) : null;
        },
        get endCursor() {
          return nodes.length > 0 ? cursorAt(nodes.length - 1) : null;
        },
      };
    }

    @Exposed('INTERNAL', () => Int, { description: 'How many there are within what the reader may see.' })
    @Guarded(open)
    totalCount(): Promise<number> {
      return this.page.count();
    }
  }
  for (const [field, { type, description, nullable = false }] of Object.entries<OwnField>(own))
    Exposed('INTERNAL', type as never, { description, nullable })(NodeConnection.prototype, field);
  return NodeConnection;
};

/** Makes a page of rows fetched with one more than asked for. */
export const pageOf = <Row, Node>(
  rows: readonly Row[],
  first: number,
  toNode: (row: Row) => Node,
  cursorOf: (row: Row) => string,
  isFurther: boolean,
  count: () => Promise<number>,
): Page<Node> => {
  const shown = rows.slice(0, first);
  // The same place has one cursor throughout a response, though sealing it twice gives two texts.
  const made: string[] = [];
  const cursorAt = (index: number): string => {
    made[index] ??= cursorOf(shown[index] as Row);
    return made[index];
  };
  return {
    nodes: shown.map(toNode),
    cursorAt,
    hasNextPage: rows.length > first,
    hasPreviousPage: isFurther,
    count,
  };
};
