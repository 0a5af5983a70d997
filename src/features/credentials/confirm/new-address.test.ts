import { areaAsSent, areaOf } from './administrative-areas';
import { countryCodes } from './country-codes';
import { problemsOf, trimmed } from './new-address';

const address = { line1: '12 New Ave', line2: '', city: 'Springfield', state: '', postalCode: '94000', country: 'US' };
const judged = (over: Partial<typeof address>) => {
  const typed = trimmed({ ...address, ...over });
  return [typed.state, problemsOf(typed)];
};

describe('the state of a new address', () => {
  it.each([
    ['US', 'CA', 'CA'],
    ['US', ' ca ', 'CA'],
    ['us', 'California', 'CA'],
    ['US', 'new  york', 'NY'],
    ['US', 'District of Columbia', 'DC'],
    ['US', 'Puerto Rico', 'PR'],
    ['US', 'AE', 'AE'],
    ['CA', 'Québec', 'QC'],
    ['CA', 'Colombie-Britannique', 'BC'],
    ['CA', 'Île du Prince-Édouard', 'PE'],
    ['CA', 'P.E.I.', 'PE'],
    ['CA', 'terre-neuve-et-labrador', 'NL'],
    ['US', 'Washington, D.C.', 'DC'],
    ['US', 'Washington', 'WA'],
    ['CA', 'quebec', 'QC'],
    ['CA', 'on', 'ON'],
    ['AU', 'NSW', 'NSW'],
    ['BR', 'São Paulo', 'São Paulo'],
    ['JP', '東京都', '東京都'],
    ['IT', 'RM', 'RM'],
    ['DE', '', ''],
    ['IE', '', ''],
    ['GB', 'Kent', 'Kent'],
  ])('in %s, typed as %j, is sent as %j', (country, state, sent) => {
    expect(judged({ country, state })).toEqual([sent, []]);
  });

  it.each([
    ['US', '', 'State: this is needed.'],
    ['CA', '', 'Province or territory: this is needed.'],
    ['AU', '', 'State or territory: this is needed.'],
    ['BR', '', 'State: this is needed.'],
    ['MX', '', 'State: this is needed.'],
    ['IN', '', 'State: this is needed.'],
    ['JP', '', 'Prefecture: this is needed.'],
    ['CN', '', 'Province: this is needed.'],
    ['IT', '', 'Province: this is needed.'],
    ['ES', '', 'Province: this is needed.'],
    ['US', 'QC', 'State: this country has none of that name. Enter its name or its two letters.'],
    ['US', 'Zqnowhere', 'State: this country has none of that name. Enter its name or its two letters.'],
    ['CA', 'California', 'Province or territory: this country has none of that name. Enter its name or its two letters.'],
    ['DE', 'x'.repeat(101), 'State, province or county: at most 100 characters.'],
    ['IE', 'Gal\u202eway', 'County: letters, digits and punctuation only.'],
    ['IE', '4242 4242 4242 4242', 'County: card data doesn’t belong here. Enter the address only.'],
  ])('in %s, typed as %.20j, is asked for again: %s', (country, state, message) => {
    expect(judged({ country, state })[1]).toEqual([['state', message]]);
  });

  it('is asked of no country that there isn’t', () => {
    const named = [...countryCodes].filter((code) => areaOf(code).isUsed);
    expect(named.length).toBe(52);
    expect(named.filter((code) => areaOf(code).isNeeded).length).toBe(22);
    expect(areaOf('toString')).toEqual({ name: 'State, province or county', isNeeded: false, isUsed: false });
    expect(areaAsSent('constructor', 'x')).toBe('x');
  });

  it('has one code for each name', () => {
    expect(
      ['US', 'CA'].map(
        (country) =>
          new Set(
            [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].flatMap((one) =>
              [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].flatMap((two) => areaAsSent(country, one + two) ?? []),
            ),
          ).size,
      ),
    ).toEqual([63, 13]);
  });
});
