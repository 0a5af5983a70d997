import type { App } from '../../src/app';
import type { Role } from '../../src/authz/actor';
import { rowsWithoutEvent } from '../../src/cli/rows-without-event';
import { sql } from '../../src/db/sql';
import { select } from '../../src/db/table';
import { demoTickets } from '../../src/development/merchant/cast';
import { actors } from '../../src/features/actors/actor.entity';
import { waitForLeases } from '../../src/features/assistance/assistance.ending';
import type { BrakeDraft, PlacedBrake } from '../../src/features/brakes/brakes.service';
import { countOf, eventsOf, ticketIdOf, told } from '../support/answers';
import { TestApp } from '../support/app';
import { tamper } from '../support/audit-log';
import { OtherIssuer } from '../support/other-issuer';

const open = `query Open($reference: String!) {
  ticketByReference(source: "demo", reference: $reference) { subject assistance { state endReason } customer { displayName } }
}`;
const release = `mutation Release($id: ID!, $reason: String = "Talked to them: it was the stocktaking") {
  releaseBrake(id: $id, reason: $reason) { state proposedBy releasedBy }
}`;
const list = '{ brakes(first: 50) { nodes { id actorId level rule state proposalReason releaseReason } totalCount } }';

describe('a brake', () => {
  let test: TestApp;
  let issuer: OtherIssuer;
  beforeEach(async () => {
    issuer = await OtherIssuer.open();
    test = await TestApp.start({ config: { issuers: [issuer.configuration] } });
  });
  afterEach(() => test.stop());

  const actorOf = async (who: 'ana' | 'sam' | 'ada') => {
    const { data } = await test.as(who, '{ viewer { id } }');
    return data.viewer.id as string;
  };
  const placing = async (app: App, draft: Partial<BrakeDraft> & Pick<BrakeDraft, 'stops'>): Promise<PlacedBrake> => {
    const placed = await app.database.system('worker', 'brake.place', (change) =>
      app.services.brakes.place(change, {
        teams: ['cards'],
        level: 'READS',
        rule: 'agent-breadth',
        ruleVersion: 1,
        signals: ['counterfoil/dsc_1', 'counterfoil/dsc_2'],
        ...draft,
      }),
    );
    if (placed === null) throw new Error('nobody was stopped');
    return placed;
  };
  const place = async (who: 'ana' | 'sam', level: BrakeDraft['level'], rule = 'agent-breadth') => {
    const { id, leasesUntil } = await placing(test.app, { stops: { actorId: await actorOf(who), staffIds: [] }, level, rule });
    await waitForLeases(leasesUntil);
    return id;
  };

  it('on reads ends what is assisted, and stops new assistances, disclosures and changes at once', async () => {
    const reference = demoTickets.own.reference;
    expect(told(await test.as('ana', open, { reference })).errors).toEqual([]);
    const id = await place('ana', 'READS');
    expect(await countOf(test, 'assistance', "end_reason = 'BRAKE'")).toBe(1);
    const answer = told(await test.as('ana', open, { reference }));
    expect(answer.data).toBeNull();
    expect(answer.errors.map(([, code, why]) => [code, why])).toEqual([['DENIED', 'BRAKE']]);
    const asked = await test.as(
      'ana',
      `mutation { beginAssistance(input: { ticketId: "${await ticketIdOf(test, reference)}", purpose: DECLINE, reason: "They called again about it" }) { id } }`,
    );
    expect(told(asked).errors).toEqual([['beginAssistance', 'DENIED', 'BRAKE']]);
    const placed = (await test.events('brake.place')).map(({ subject, detail }) => ({ subject, detail }));
    expect(placed).toEqual([
      {
        subject: expect.anything(),
        detail: expect.objectContaining({ of: await actorOf('ana'), level: 'READS', rule: 'agent-breadth', count: 2 }),
      },
    ]);
    expect(id).toMatch(/^brk_/);
  });

  it('on assistances leaves what is assisted, and lets nobody new be reached', async () => {
    const own = demoTickets.own.reference;
    expect(told(await test.as('ana', open, { reference: own })).errors).toEqual([]);
    await place('ana', 'ASSISTANCES');
    expect(told(await test.as('ana', open, { reference: own })).errors).toEqual([]);
    const other = await test.as('ana', open, { reference: demoTickets.matched.reference });
    expect(told(other).data.ticketByReference.customer).toBeNull();
    expect(told(other).errors).toContainEqual(['ticketByReference.customer', 'DENIED', 'BRAKE']);
  });

  it('on reads stops what is policed and shown without an assistance, and nobody else', async () => {
    const queue = '{ tickets(first: 2) { nodes { subject } } }';
    expect(told(await test.as('ana', queue)).errors).toEqual([]);
    await place('ana', 'READS');
    expect(told(await test.as('ana', queue)).errors.map(([, code, why]) => [code, why])).toEqual([['DENIED', 'BRAKE']]);
    expect(told(await test.as('sam', queue)).errors).toEqual([]);
  });

  it('is released by two people, the second other than the first, and neither of them whom it stops', async () => {
    const id = await place('ana', 'READS');
    const codes = async (who: Parameters<TestApp['as']>[0]) => {
      const answer = told(await test.as(who, release, { id }));
      return answer.errors.length > 0 ? answer.errors.map(([, code, why]) => [code, why]) : answer.data.releaseBrake.state;
    };
    expect(await codes('ana')).toEqual([['DENIED', 'ROLE']]);
    // Of the same team.
    expect(await codes('sam')).toEqual([['DENIED', 'SCOPE']]);
    expect(await codes('ada')).toBe('PROPOSED');
    expect(await codes('ada')).toEqual([['DENIED', 'OWN_REQUEST']]);
    expect(told(await test.as('ana', open, { reference: demoTickets.own.reference })).data).toBeNull();
    expect(await codes('oz')).toBe('RELEASED');
    expect(await codes('oz')).toBe('RELEASED');
    expect(told(await test.as('ana', open, { reference: demoTickets.own.reference })).errors).toEqual([]);
    const { data } = await test.as('ada', list);
    expect(data.brakes).toEqual({
      totalCount: 1,
      nodes: [
        expect.objectContaining({
          id,
          state: 'RELEASED',
          proposalReason: 'Talked to them: it was the stocktaking',
          releaseReason: 'Talked to them: it was the stocktaking',
        }),
      ],
    });
  });

  it('of which another stays leaves what that one stops', async () => {
    const [reads, session] = [await place('ana', 'READS'), await place('ana', 'SESSION', 'session-moved')];
    for (const who of ['ada', 'oz'] as const) await test.as(who, release, { id: session });
    expect(told(await test.as('ana', open, { reference: demoTickets.own.reference })).data).toBeNull();
    for (const who of ['ada', 'oz'] as const) await test.as(who, release, { id: reads });
    expect(told(await test.as('ana', open, { reference: demoTickets.own.reference })).errors).toEqual([]);
  });

  it('is one for each person and rule while it isn’t released', async () => {
    const first = await place('ana', 'READS');
    expect(await place('ana', 'READS')).toBe(first);
    expect(await countOf(test, 'staff_brake')).toBe(1);
  });

  it.each([
    ['a short reason', 'too short'],
    ['a card number', 'They read out 4242 4242 4242 4242'],
  ])('is not released with %s', async (_, reason) => {
    const id = await place('ana', 'READS');
    expect(told(await test.as('ada', release, { id, reason })).errors).toEqual([['releaseBrake', 'INVALID', 'reason']]);
  });

  it('that isn’t there is NOT_FOUND', async () => {
    expect(told(await test.as('ada', release, { id: 'brk_absent' })).errors).toEqual([['releaseBrake', 'NOT_FOUND']]);
  });

  it('is denied to those whom the policy doesn’t name, with an event', async () => {
    const events = await eventsOf(test, async () => {
      expect(told(await test.as('ana', list)).errors).toEqual([['brakes', 'DENIED', 'ROLE']]);
    });
    expect(events.map(({ action }) => action)).toContain('denial');
  });

  it('that is taken off the rows behind the log’s back is told', async () => {
    const id = await place('ana', 'READS');
    expect(await found()).toEqual([]);
    await tamper(test.app.database, 'UPDATE actor SET brake = NULL');
    expect(await found()).toEqual([expect.stringContaining(`${id} (whom they stop)`)]);
    await tamper(test.app.database, "UPDATE staff_brake SET state = 'RELEASED', open_key = NULL");
    expect(await found()).toEqual([expect.stringContaining(`${id} (state, openKey)`)]);
  });

  const staffRow = async (reference: string) => {
    const [staff] = await test.app.database.query<{ id: string }>('SELECT id FROM helpdesk_staff WHERE reference = ?', [
      reference,
    ]);
    return staff?.id ?? '';
  };
  const under = async (user: string, subject: string, roles: readonly Role[]) => ({
    token: await issuer.token(user, { roles, teams: ['cards'], subject }, test.clock.now()),
  });
  const found = async () => (await rowsWithoutEvent(test.app.database)).findings;
  const reference = demoTickets.own.reference;

  it('stops them under a subject that they first use afterwards, until it is released', async () => {
    expect(told(await test.as('ana', open, { reference })).errors).toEqual([]);
    const { id } = await placing(test.app, { stops: { actorId: null, staffIds: [await staffRow('ana')] } });
    const other = await under('ana', 'ana-two', ['AGENT']);
    expect(told(await test.as(other, open, { reference })).errors.map(([, code, why]) => [code, why])).toEqual([
      ['DENIED', 'BRAKE'],
    ]);
    expect((await test.events('brake.extend')).map(({ detail }) => detail)).toEqual([
      { of: await actorOf('ana'), actors: [expect.stringMatching(/^act_/)], staffRows: [] },
    ]);
    expect(await found()).toEqual([]);
    for (const who of ['ada', 'oz'] as const) await test.as(who, release, { id });
    expect(told(await test.as(other, open, { reference })).errors).toEqual([]);
    expect(await found()).toEqual([]);
  });

  it('stops them under a subject that they used before and did nothing under', async () => {
    const other = await under('ana', 'ana-two', ['AGENT']);
    expect(told(await test.as(other, '{ viewer { id } }')).errors).toEqual([]);
    await place('ana', 'READS');
    expect(told(await test.as(other, open, { reference })).errors.map(([, code, why]) => [code, why])).toEqual([
      ['DENIED', 'BRAKE'],
    ]);
  });

  it('that is there stops them under a subject that was found since, once the rule says so again', async () => {
    await place('ana', 'READS');
    const { data } = told(await test.as('sam', '{ viewer { id } }'));
    await test.app.database.bookkeeping(actors, async (book) => {
      const [ana] = await book.read(
        select(actors.pick('personDigest'), sql`FROM ${actors}`),
        sql`WHERE ${actors.id} = ${await actorOf('ana')}`,
      );
      await book.update({ personDigest: ana?.personDigest ?? null }, sql`${actors.id} = ${data.viewer.id}`);
    });
    await place('ana', 'READS');
    expect(told(await test.as('sam', '{ tickets(first: 2) { nodes { subject } } }')).errors.map(([, , why]) => why)).toEqual([
      'BRAKE',
    ]);
    expect(await found()).toEqual([]);
  });

  it('is released by no team’s supervisor where no team is known, but by who is outside the teams', async () => {
    const { id } = await placing(test.app, { stops: { actorId: await actorOf('ana'), staffIds: [] }, teams: [] });
    expect(told(await test.as('sam', release, { id })).errors).toEqual([['releaseBrake', 'DENIED', 'SCOPE']]);
    expect(told(await test.as('ada', release, { id })).data.releaseBrake.state).toBe('PROPOSED');
  });

  it('is of the teams whose tickets they worked on, whatever the signal said', async () => {
    expect(told(await test.as('ana', open, { reference })).errors).toEqual([]);
    const { id } = await placing(test.app, { stops: { actorId: await actorOf('ana'), staffIds: [] }, teams: ['elsewhere'] });
    expect(told(await test.as('sam', release, { id })).errors).toEqual([['releaseBrake', 'DENIED', 'SCOPE']]);
    expect(await found()).toEqual([]);
  });

  it('is not released by whom it stops under another subject, nor by one person under two', async () => {
    const id = await place('ana', 'READS');
    const denied = [['releaseBrake', 'DENIED', 'OWN_REQUEST']];
    const self = await under('ana', 'ana-admin', ['ADMIN']);
    expect(told(await test.as(self, release, { id })).data).toBeNull();
    const [one, two] = [await under('eve', 'eve-one', ['AUDITOR']), await under('eve', 'eve-two', ['ADMIN'])];
    expect(told(await test.as(one, release, { id })).data.releaseBrake.state).toBe('PROPOSED');
    expect(told(await test.as(two, release, { id })).errors).toEqual(denied);
    expect(told(await test.as(self, release, { id })).data).toBeNull();
    expect(told(await test.as('oz', release, { id })).data.releaseBrake.state).toBe('RELEASED');
  });

  it('whose release was proposed holds for both again once the rule finds it again', async () => {
    const id = await place('ana', 'READS');
    expect(told(await test.as('ada', release, { id })).data.releaseBrake.state).toBe('PROPOSED');
    expect(await place('ana', 'READS')).toBe(id);
    expect(told(await test.as('ada', list)).data.brakes.nodes).toEqual([
      expect.objectContaining({ id, state: 'ACTIVE', proposalReason: null }),
    ]);
    expect((await test.events('brake.renew')).map(({ detail }) => detail)).toEqual([{ of: await actorOf('ana') }]);
    expect(await found()).toEqual([]);
    test.clock.forward(1_000);
    expect(told(await test.as('oz', release, { id })).data.releaseBrake.state).toBe('PROPOSED');
    expect(told(await test.as('ada', release, { id })).data.releaseBrake.state).toBe('RELEASED');
    expect(await found()).toEqual([]);
  });

  it('on sessions refuses every token of theirs, under each subject with their row among the staff', async () => {
    const otherSubject = await issuer.token('ana', { roles: ['AGENT'], teams: ['cards'], subject: 'ana-two' }, test.clock.now());
    const asOther = { token: otherSubject };
    const [staff] = await test.app.database.query<{ id: string }>("SELECT id FROM helpdesk_staff WHERE reference = 'ana'");
    const { id } = await placing(test.app, {
      stops: { actorId: await actorOf('ana'), staffIds: [staff?.id ?? ''] },
      level: 'SESSION',
    });
    expect(told(await test.as(asOther, '{ viewer { id } }')).errors).toEqual([]);
    await test.app.services.brakes.refresh();
    for (const who of ['ana', asOther] as const) {
      const answer = await test.as(who, '{ viewer { id } }');
      expect(answer.status).toBe(401);
      expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    for (const who of ['ada', 'oz'] as const) await test.as(who, release, { id });
    await test.app.services.brakes.refresh();
    expect(told(await test.as('ana', '{ viewer { id } }')).errors).toEqual([]);
  });

  it('is in force once it is acknowledged: nothing is shown afterwards, whichever process shows it', async () => {
    const replica = test.app.database.engine === 'mariadb' ? await test.replica() : null;
    try {
      const reference = demoTickets.own.reference;
      const actorId = await actorOf('ana');
      const shownAt: number[] = [];
      let isOver = false;
      const read = async () => {
        while (!isOver) {
          const { errors } = told(await test.as('ana', open, { reference }));
          if (errors.length === 0) shownAt.push(performance.now());
        }
      };
      const readers = [read(), read(), read(), read()];
      while (shownAt.length < 8) await new Promise((resolve) => setTimeout(resolve, 5));
      const { leasesUntil } = await placing(replica ?? test.app, { stops: { actorId, staffIds: [] } });
      await waitForLeases(leasesUntil);
      const acknowledgedAt = performance.now();
      await new Promise((resolve) => setTimeout(resolve, 500));
      isOver = true;
      await Promise.all(readers);
      expect(shownAt.filter((at) => at > acknowledgedAt)).toEqual([]);
    } finally {
      await replica?.close();
    }
  });
});
