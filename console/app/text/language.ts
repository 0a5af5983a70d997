import { useSyncExternalStore } from 'react';

export const languages = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof languages;

const isLanguage = (name: string | null | undefined): name is Language => name === 'en' || name === 'de';

/** What is kept in the browser: nothing but this word. A frame may have no store at all. */
const storedName = 'counterfoil.language';
const stored = (): Language | null => {
  try {
    const name = localStorage.getItem(storedName);
    return isLanguage(name) ? name : null;
  } catch {
    return null;
  }
};

const preferred = (): Language =>
  navigator.languages.map((each) => each.slice(0, 2).toLowerCase()).find((each) => isLanguage(each)) ?? 'en';

let current: Language = stored() ?? preferred();
document.documentElement.lang = current;
const listeners = new Set<() => void>();

export const currentLanguage = (): Language => current;

const loaders = new Map<Language, Set<() => Promise<unknown>>>();

/** What is loaded before a language is changed to or a page drawn in it, so that nothing on the page goes meanwhile. */
export const loadWith = (language: Language, load: () => Promise<unknown>): void => {
  const known = loaders.get(language) ?? new Set();
  loaders.set(language, known.add(load));
};

/** Resolves once all texts of a language are there that the page knows of now. */
export const textsLoaded = (language: Language = current): Promise<unknown> =>
  Promise.all([...(loaders.get(language) ?? [])].map((load) => load()));

export const chooseLanguage = async (language: Language): Promise<void> => {
  await textsLoaded(language);
  current = language;
  document.documentElement.lang = language;
  try {
    localStorage.setItem(storedName, language);
  } catch {
    // It is chosen for this page then.
  }
  for (const listener of listeners) listener();
};

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

export const useLanguage = (): Language => useSyncExternalStore(subscribe, () => current);
