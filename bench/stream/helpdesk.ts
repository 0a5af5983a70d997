import type { Label } from './acts';
import { days, hours, isWeekend, minutes, seconds, whenAtWork } from './calendar';
import type { Person } from './people';
import type { Random } from './random';
import type { World } from './world';

export interface Agent {
  readonly id: string;
  readonly team: string;
  /** The device claim of their session. */
  readonly device: string;
  readonly ip: string;
}

export interface Ticket {
  readonly id: string;
  readonly customer: string;
  readonly openedAt: number;
  /** What they did last, on either side. */
  lastAt: number;
}

const teams = ['team-cards', 'team-orders'];
const leastAgents = 18;

/** The people who answer tickets, and what they are seen doing. */
export class Helpdesk {
  readonly agents: Agent[] = [];
  private readonly random: Random;
  private readonly shifts = new Map<number, Agent[]>();
  /** Tickets of the last days, for those who look at others' work. */
  private recent: Ticket[] = [];

  constructor(private readonly world: World) {
    this.random = world.random.fork('helpdesk');
    const count = Math.max(leastAgents, Math.round((20 * world.settings.customers) / 10_000));
    for (let each = 0; each < count; each += 1) this.hire();
  }

  hire(): Agent {
    const { people } = this.world;
    const number = this.agents.length + 1;
    const agent = {
      id: `agent-${number}`,
      team: teams[number % teams.length] as string,
      device: people.device(),
      // Most sit in the office, behind one address.
      ip: this.random.chance(0.7) ? '198.51.100.20' : people.network(),
    };
    this.agents.push(agent);
    return agent;
  }

  /** Who works on a day. */
  onShift(day: number): Agent[] {
    let shift = this.shifts.get(day);
    if (!shift) {
      const present = isWeekend(day) ? 0.4 : 0.8;
      shift = this.agents.filter(() => this.random.chance(present));
      if (shift.length === 0) shift = this.agents.slice(0, 2);
      this.shifts.set(day, shift);
      this.shifts.delete(day - 7 * days);
    }
    return shift;
  }

  /** Tickets that came in during the three days before a moment. */
  recentBefore(at: number): readonly Ticket[] {
    this.recent = this.recent.filter(({ openedAt }) => openedAt > at - 3 * days);
    return this.recent.filter(({ openedAt }) => openedAt < at);
  }

  /** A customer writes; somebody reads it and, mostly, answers. */
  open(person: Person, at: number, label?: Label): Ticket {
    const ticket = { id: this.world.name('tkt'), customer: person.id, openedAt: at, lastAt: at };
    this.recent.push(ticket);
    this.write(ticket, at, label);
    const agent = this.answer(ticket, at);
    if (this.random.chance(0.35)) {
      const again = ticket.lastAt + this.random.exponential(6 * hours);
      this.write(ticket, again, label);
      this.answer(ticket, again, agent);
    }
    const closed = Math.floor(ticket.lastAt + this.random.exponential(20 * hours));
    this.world.act({ type: 'ticket.closed', at: closed, subjects: { ticket: ticket.id, customer: person.id } });
    return ticket;
  }

  write(ticket: Ticket, at: number, label?: Label): void {
    const moment = Math.floor(at);
    ticket.lastAt = Math.max(ticket.lastAt, moment);
    this.world.act({ type: 'ticket.contact', at: moment, subjects: { ticket: ticket.id, customer: ticket.customer } }, label);
  }

  /** What a customer says of a payment, held against what they paid. */
  claim(ticket: Ticket, at: number, outcome: 'matched' | 'unmatched' | 'contradicted', label?: Label): void {
    const subjects = { ticket: ticket.id, customer: ticket.customer };
    this.world.act({ type: 'ticket.claim', at: Math.floor(at), subjects, facts: { outcome } }, label);
  }

  /** An agent opens a ticket: a session that is used, and what they were shown. */
  read(
    agent: Agent,
    ticket: Pick<Ticket, 'id' | 'customer'>,
    at: number,
    label?: Label,
    device = agent.device,
    ip = agent.ip,
  ): void {
    const moment = Math.floor(at);
    const { id: staff, team } = agent;
    this.world.act({ type: 'staff.session', at: moment, subjects: { staff, team, device, ip } }, label);
    this.world.act(
      { type: 'staff.disclosure', at: moment + 400, subjects: { staff, team, ticket: ticket.id, customer: ticket.customer } },
      label,
    );
  }

  work(
    agent: Agent,
    ticket: Pick<Ticket, 'id' | 'customer'>,
    type: 'reply' | 'note' | 'update' | 'hold',
    at: number,
    label?: Label,
  ): void {
    const subjects = { staff: agent.id, team: agent.team, ticket: ticket.id, customer: ticket.customer };
    this.world.act({ type: `staff.${type}`, at: Math.floor(at), subjects }, label);
  }

  /** Agents look into tickets that others then answer. */
  triage(day: number): void {
    for (const agent of this.onShift(day)) {
      const tickets = this.recentBefore(day + 8 * hours);
      for (let left = Math.min(tickets.length, this.random.poisson(1.2)); left > 0; left -= 1)
        this.read(agent, this.random.pick(tickets), whenAtWork(this.random, day));
    }
  }

  private answer(ticket: Ticket, at: number, by?: Agent): Agent {
    let when = at + this.random.exponential(40 * minutes);
    const hour = (when % days) / hours;
    if (hour < 6.5) when = when - (when % days) + this.random.between(6.5, 9) * hours;
    if (hour > 19) when = when - (when % days) + days + this.random.between(6.5, 10) * hours;
    const agent = by ?? this.random.pick(this.onShift(when - (when % days)));
    this.read(agent, ticket, when);
    const ready = when + this.random.between(60 * seconds, 9 * minutes);
    const how = this.random.weighted([
      ['reply', 90],
      ['note', 6],
      ['nothing', 4],
    ] as const);
    if (this.random.chance(0.05)) this.work(agent, ticket, 'update', ready - 30 * seconds);
    if (how !== 'nothing') this.work(agent, ticket, how, ready);
    ticket.lastAt = Math.max(ticket.lastAt, Math.floor(ready));
    return agent;
  }
}
