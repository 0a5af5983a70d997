import { useMemo } from 'react';
import { type Language, useLanguage } from './language';

/** A text with `{name}` for what is put in, or one for each number of `{count}` (Intl.PluralRules). */
export type Entry = string | { readonly one: string; readonly other: string };
type Entries = Readonly<Record<string, Entry>>;
type Same<T extends Entries> = {
  readonly [K in keyof T]: T[K] extends string ? string : { readonly one: string; readonly other: string };
};

export interface Catalogue<T extends Entries> {
  readonly en: T;
  readonly de: Same<T>;
}

/** The texts of a part of the console: the compiler misses the ones that a language lacks. */
export const catalogue = <const T extends Entries>(en: T, de: Same<T>): Catalogue<T> => ({ en, de });

export type Values = Readonly<Record<string, string | number>>;
export type Text<T extends Entries> = (key: keyof T & string, values?: Values) => string;

const filled = (text: string, values: Values, number: Intl.NumberFormat): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === 'number' ? number.format(value) : value;
  });

const textIn = <T extends Entries>(texts: Catalogue<T>, language: Language): Text<T> => {
  const number = new Intl.NumberFormat(language);
  const plural = new Intl.PluralRules(language);
  return (key, values = {}) => {
    const entry = texts[language][key] as Entry;
    const text = typeof entry === 'string' ? entry : entry[plural.select(Number(values.count)) === 'one' ? 'one' : 'other'];
    return filled(text, values, number);
  };
};

/** Texts in the reader's language. */
export const useText = <T extends Entries>(texts: Catalogue<T>): Text<T> => {
  const language = useLanguage();
  return useMemo(() => textIn(texts, language), [texts, language]);
};
