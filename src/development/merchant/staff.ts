import type { StaffRecord } from '../../upstream/helpdesk/helpdesk.port';

export const demoTeams = ['cards', 'wallets', 'disputes'] as const;
export type DemoTeam = (typeof demoTeams)[number];

export interface DemoStaff extends StaffRecord {
  readonly teams: readonly DemoTeam[];
}

const member = (login: string, displayName: string, teams: readonly DemoTeam[], active = true): DemoStaff => ({
  reference: login,
  displayName,
  login,
  email: `${login}@staff.example.com`,
  active,
  teams,
});

/** Everybody at the demo helpdesk; `ana`, `ben` and `sam` are also people of the development issuer. */
export const demoStaff: readonly DemoStaff[] = [
  member('ana', 'Ana Ferreira', ['cards']),
  member('ben', 'Ben Okafor', ['wallets']),
  member('sam', 'Sam Lindqvist', ['cards', 'wallets']),
  member('chloe', 'Chloé Marchand', ['cards']),
  member('dmytro', 'Dmytro Kovalenko', ['cards']),
  member('elif', 'Elif Aydın', ['cards']),
  member('femi', 'Femi Adeyemi', ['cards']),
  member('greta', 'Greta Nyström', ['cards']),
  member('hiro', 'Hiro Tanabe', ['cards']),
  member('ines', 'Inês Carvalho', ['cards']),
  member('jonas', 'Jonas Weißenfels', ['cards']),
  member('kavya', 'Kavya Raman', ['wallets']),
  member('liam', 'Liam O’Rourke', ['wallets']),
  member('mateo', 'Mateo Iglesias', ['wallets']),
  member('nadia', 'Nadia Haddad', ['wallets']),
  member('oskar', 'Oskar Zieliński', ['wallets']),
  member('priya', 'Priya Nair', ['wallets']),
  member('quentin', 'Quentin Lefort', ['disputes']),
  member('rosa', 'Rosa Benítez', ['disputes']),
  member('sofia', 'Sofía Paredes', ['disputes']),
  member('tomas', 'Tomáš Hruška', ['disputes']),
  member('uma', 'Uma Castellan', ['disputes']),
  member('viktor', 'Viktor Lund', ['disputes']),
  member('wanda', 'Wanda Pawlak', ['cards'], false),
];

const byReference = new Map(demoStaff.map((each) => [each.reference, each]));

/** Undefined for a reference that names nobody. */
export const staffOf = (reference: string): DemoStaff | undefined => byReference.get(reference);

const roster = (team: DemoTeam) =>
  demoStaff.filter((each) => each.active && each.reference !== 'sam' && each.teams.includes(team)).map((each) => each.reference);

/** Who takes tickets of a team. Ana appears twice among the cards agents, so that the demo's main person has plenty of work. */
export const takersOf: Readonly<Record<DemoTeam, readonly string[]>> = {
  cards: ['ana', ...roster('cards')],
  wallets: roster('wallets'),
  disputes: roster('disputes'),
};
