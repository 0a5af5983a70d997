import { use, useMemo } from 'react';
import { noted } from '../noted';
import { isolated } from './isolated';
import { currentLanguage, type Language, loadWith, useLanguage } from './language';

/** A text with `{name}` for what is put in, or one for each number of `{count}` (Intl.PluralRules). */
export type Entry = string | { readonly one: string; readonly other: string };
type Entries = Readonly<Record<string, Entry>>;
type Same<T extends Entries> = {
  readonly [K in keyof T]: T[K] extends string ? string : { readonly one: string; readonly other: string };
};
type Loaded<T extends Entries> = Promise<{ readonly default: Same<T> }>;

const loading = new Map<unknown, Promise<Entries>>();

/** Loaded once; where that fails, the English ones stand in, and it is tried again another time. */
const loadedOnce = <T extends Entries>(load: () => Loaded<T>, english: T): Promise<Same<T>> => {
  const known = loading.get(load) as Promise<Same<T>> | undefined;
  if (known) return known;
  const begun: Promise<Same<T>> = noted(
    load().then(
      ({ default: texts }) => texts,
      () => {
        loading.delete(load);
        return english as Same<T>;
      },
    ),
  );
  loading.set(load, begun);
  return begun;
};

export interface Catalogue<T extends Entries> {
  readonly en: T;
  readonly de: Same<T> | (() => Loaded<T>);
}

/** The texts of another language, in a file of its own that is loaded by who reads it. */
export type TextsLike<T extends Entries> = Same<T>;

/**
 * The texts of a part of the console: the compiler misses the ones that a language lacks. Many of them are in a file a language, which is loaded
 * where it is asked for: until then the part isn't shown.
 */
export const catalogue = <const T extends Entries>(en: T, de: Same<T> | (() => Loaded<T>)): Catalogue<T> => {
  if (typeof de === 'function') {
    const load = () => loadedOnce(de, en);
    loadWith('de', load);
    if (currentLanguage() === 'de') void load();
  }
  return { en, de };
};

export type Values = Readonly<Record<string, string | number>>;
export type Text<T extends Entries> = (key: keyof T & string, values?: Values) => string;

/** Whatever is put in keeps its direction to itself, whoever wrote it: no sentence is turned by what it names. */
const filled = (text: string, values: Values, number: Intl.NumberFormat): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : typeof value === 'number' ? number.format(value) : isolated(value);
  });

const textIn = <T extends Entries>(texts: Same<T>, language: Language): Text<T> => {
  const number = new Intl.NumberFormat(language);
  const plural = new Intl.PluralRules(language);
  return (key, values = {}) => {
    const entry = texts[key] as Entry;
    const text = typeof entry === 'string' ? entry : entry[plural.select(Number(values.count)) === 'one' ? 'one' : 'other'];
    return filled(text, values, number);
  };
};

/** Texts in the reader's language. */
export const useText = <T extends Entries>(texts: Catalogue<T>): Text<T> => {
  const language = useLanguage();
  const all = texts[language];
  const own = typeof all === 'function' ? use(loadedOnce(all, texts.en)) : (all as Same<T>);
  return useMemo(() => textIn(own, language), [own, language]);
};
