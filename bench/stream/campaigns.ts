import type { Variant } from './acts';
import { accountAttacks } from './attack-accounts';
import { cardAttacks } from './attack-cards';
import { staffAttacks } from './attack-staff';
import { days } from './calendar';
import type { Scene } from './shopping';

/** Campaigns a week and 10,000 customers. */
export const campaignsPerWeek = 1;
/** The last days have none begin: each is seen to its end. */
const tail = 9 * days;

const attacks = [...cardAttacks, ...accountAttacks, ...staffAttacks];
const variants: readonly (readonly [Variant, number])[] = [
  ['plain', 56],
  ['careful', 38],
  ['hidden', 6],
];

/** Begins a week's campaigns, at any time of it. */
export const attackInWeek = (scene: Scene, monday: number): void => {
  const { world, random } = scene;
  const expected = (campaignsPerWeek * world.settings.times * world.settings.customers) / 10_000;
  const count = Math.floor(expected) + (random.chance(expected % 1) ? 1 : 0);
  for (let left = count; left > 0; left -= 1) {
    const start = Math.floor(monday + random.between(0, 7) * days);
    const [kind, attack] = random.weighted(attacks.map(([name, weight, begin]) => [[name, begin] as const, weight] as const));
    const variant = random.weighted(variants);
    if (start > world.end - tail) continue;
    attack(scene, world.campaign(kind, variant), start);
  }
};
