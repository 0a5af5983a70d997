import { Failure } from '../failure';
import { gravestCardData, gravestInAddress } from './card-data';

/*
 * The two ways in which a text comes in. What people of ours write is refused where it holds card data: they are told, and write it
 * otherwise. What a source holds is kept without it (`redaction.ts`). Both by the detectors of `card-data.ts`.
 */

/** Whether a text holds a card number, a security code, an expiry date or a track. */
export const hasCardData = (text: string): boolean => gravestCardData(text) !== null;

/** The same of an address or a part of one. */
export const hasCardDataInAddress = (text: string): boolean => gravestInAddress(text) !== null;

/**
 * Refuses a text with card data in it before anything is stored or logged of it.
 * @throws Failure `INVALID` that names the argument and what is accepted, whichever kind was found, and nothing of the text.
 */
export const expectNoCardData = (argument: string, text: string): void => {
  if (!hasCardData(text)) return;
  throw Failure.invalid(
    argument,
    'expected a text without card number, security code and expiry date; the last four digits of a card say which one it is',
  );
};
