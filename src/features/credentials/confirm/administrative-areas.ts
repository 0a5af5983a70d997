/**
 * Which countries write an administrative area (a state, a province, a prefecture) into an address, what they call it, and whether an address is
 * incomplete without it. After the address formats of their postal services as libaddressinput collects them
 * (https://github.com/google/libaddressinput); every other country's addresses may have one and need none.
 */
const needed: Readonly<Record<string, string>> = {
  AE: 'Emirate',
  AU: 'State or territory',
  BR: 'State',
  CA: 'Province or territory',
  CN: 'Province',
  CO: 'Department',
  ES: 'Province',
  FM: 'State',
  HK: 'Area',
  ID: 'Province',
  IN: 'State',
  IT: 'Province',
  JM: 'Parish',
  JP: 'Prefecture',
  KR: 'Province or city',
  MX: 'State',
  PG: 'Province',
  RU: 'Region',
  SV: 'Department',
  TW: 'County or city',
  US: 'State',
  VE: 'State',
};

const usual: Readonly<Record<string, string>> = {
  AR: 'Province',
  BS: 'Island',
  CL: 'Region',
  CR: 'Province',
  CV: 'Island',
  EG: 'Governorate',
  HN: 'Department',
  IE: 'County',
  IQ: 'Province',
  KN: 'Island',
  KY: 'Island',
  MH: 'State',
  MY: 'State',
  MZ: 'Province',
  NG: 'State',
  NI: 'Department',
  NR: 'District',
  PA: 'Province',
  PE: 'Region',
  PF: 'Island',
  PH: 'Province',
  PW: 'State',
  SO: 'Region',
  SR: 'District',
  TH: 'Province',
  TR: 'Province',
  TV: 'Island',
  UA: 'Region',
  UY: 'Department',
  VN: 'Province',
};

/** What a country calls it, and whether its addresses need one. `isUsed` is false where it is neither asked for nor out of place. */
export const areaOf = (country: string): { readonly name: string; readonly isNeeded: boolean; readonly isUsed: boolean } => {
  const own = (of: Readonly<Record<string, string>>) => (Object.hasOwn(of, country) ? of[country] : undefined);
  const name = own(needed) ?? own(usual);
  return { name: name ?? 'State, province or county', isNeeded: own(needed) !== undefined, isUsed: name !== undefined };
};

/** What each code stands for, by all the names that people write. */
const codes = (list: string): ReadonlyMap<string, readonly string[]> =>
  new Map(
    list
      .trim()
      .split(/\s*,\s*/)
      .map((entry) => [entry.slice(0, 2), entry.slice(3).split('/')]),
  );

/** Areas that payment systems compare by their code: of the United States (USPS, with territories and military mail) and Canada, in both of its languages. */
const coded: Readonly<Record<string, ReadonlyMap<string, readonly string[]>>> = {
  US: codes(`AL Alabama, AK Alaska, AZ Arizona, AR Arkansas, CA California, CO Colorado, CT Connecticut, DE Delaware, DC District of Columbia/Washington DC,
    FL Florida, GA Georgia, HI Hawaii, ID Idaho, IL Illinois, IN Indiana, IA Iowa, KS Kansas, KY Kentucky, LA Louisiana, ME Maine, MD Maryland,
    MA Massachusetts, MI Michigan, MN Minnesota, MS Mississippi, MO Missouri, MT Montana, NE Nebraska, NV Nevada, NH New Hampshire,
    NJ New Jersey, NM New Mexico, NY New York, NC North Carolina, ND North Dakota, OH Ohio, OK Oklahoma, OR Oregon, PA Pennsylvania,
    RI Rhode Island, SC South Carolina, SD South Dakota, TN Tennessee, TX Texas, UT Utah, VT Vermont, VA Virginia, WA Washington,
    WV West Virginia, WI Wisconsin, WY Wyoming, AS American Samoa, GU Guam, MP Northern Mariana Islands, PR Puerto Rico,
    UM U.S. Minor Outlying Islands, VI U.S. Virgin Islands, FM Micronesia, MH Marshall Islands, PW Palau,
    AA Armed Forces Americas, AE Armed Forces Europe, AP Armed Forces Pacific`),
  CA: codes(`AB Alberta, BC British Columbia/Colombie-Britannique, MB Manitoba, NB New Brunswick/Nouveau-Brunswick,
    NL Newfoundland and Labrador/Newfoundland/Terre-Neuve-et-Labrador, NT Northwest Territories/Territoires du Nord-Ouest,
    NS Nova Scotia/Nouvelle-Écosse, NU Nunavut, ON Ontario, PE Prince Edward Island/PEI/Île-du-Prince-Édouard, QC Quebec, SK Saskatchewan,
    YT Yukon`),
};

const folded = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');

/** The area as a provider takes it: by its code where the country has some, however it was written; null for none of them. */
export const areaAsSent = (country: string, area: string): string | null => {
  const known = Object.hasOwn(coded, country) ? coded[country] : undefined;
  if (known === undefined || area === '') return area;
  const sought = folded(area);
  for (const [code, names] of known) if ([code, ...names].some((name) => sought === folded(name))) return code;
  return null;
};
