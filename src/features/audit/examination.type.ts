import { ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Exposed } from '../../graphql/decorators';
import { enumOf } from '../../graphql/enum-of';
import { Listed } from '../../graphql/listed';
import { DateTime } from '../../graphql/scalars';

const areas = ['LOG', 'GRANTS', 'SERVER', 'OPERATIONS', 'SOURCES'] as const;
type Area = (typeof areas)[number];
const ExaminedAreaEnum = enumOf(areas);
registerEnumType(ExaminedAreaEnum, {
  name: 'ExaminedArea',
  description:
    'LOG: that the stored log, and the rows that answers go by, are what was signed; GRANTS: that database users may do no more than they need; SERVER: that it keeps what it acknowledged; OPERATIONS: that registered operations fit the graph; SOURCES: link fields, lists for holds, accounts.',
});

@ObjectType({ simpleResolvers: true, description: 'How much differed in one area.' })
class ExaminedCount {
  @Exposed('INTERNAL', () => ExaminedAreaEnum)
  area!: Area;

  @Exposed('INTERNAL', () => Int)
  findings!: number;
}

/** Null: wasn't looked at. */
interface CountsByArea {
  readonly log: number;
  readonly grants: number;
  readonly server: number;
  readonly operations: number;
  readonly sources: number | null;
}

@ObjectType({ simpleResolvers: true, description: 'One look through the installation, by the command line.' })
export class Examination {
  constructor(private readonly row: { readonly eventId: string; readonly at: Date; readonly found: CountsByArea }) {}

  @Exposed('INTERNAL', () => DateTime)
  get at(): Date {
    return this.row.at;
  }

  @Exposed('INTERNAL', () => ID)
  get eventId(): string {
    return this.row.eventId;
  }

  @Listed({ most: areas.length, parts: true })
  @Exposed('INTERNAL', () => [ExaminedCount], { description: 'Of the areas that were looked at.' })
  get areas(): readonly ExaminedCount[] {
    const { log, grants, server, operations, sources } = this.row.found;
    const counts: Readonly<Record<Area, number | null>> = {
      LOG: log,
      GRANTS: grants,
      SERVER: server,
      OPERATIONS: operations,
      SOURCES: sources,
    };
    return areas.flatMap((area) => {
      const findings = counts[area];
      return findings === null ? [] : [{ area, findings }];
    });
  }
}
