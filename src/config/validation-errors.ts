/** Configuration faults as text: the field, the fault, the remedy. */
import type { z } from 'zod';
import { GatewayError } from '../types/errors.ts';
import { pathText, zodSentence } from '../schema/zod-errors.ts';
import { didYouMean } from '../text/did-you-mean.ts';

/** The first fault of a schema check; `under` is the path of the checked value. */
export function invalidBySchema(error: z.ZodError, under: readonly PropertyKey[]): GatewayError {
  const { param, sentence } = zodSentence(error, under);
  return new GatewayError('configuration_invalid', sentence, { param, cause: error });
}

export function unknownName(what: string, name: string, candidates: Iterable<string>, param: string): GatewayError {
  const sentence = `${param}: there is no ${what} named "${name}".${didYouMean(name, [...candidates])}`;
  return new GatewayError('configuration_invalid', sentence, { param });
}

/** `$sealed` marks values that only Pailou writes. */
const poisonous = new Set(['__proto__', 'constructor', 'prototype', '$sealed']);

/** Throws for a key that could pollute a prototype or pass for a stored secret. `constructor` and the like have no use in a configuration. */
export function refusePoison(value: unknown, path: readonly PropertyKey[]): void {
  // Bytes have no names; enumerating them would take seconds.
  if (ArrayBuffer.isView(value)) return;
  if (Array.isArray(value)) {
    value.forEach((inner, index) => refusePoison(inner, [...path, index]));
  } else if (typeof value === 'object' && value !== null) {
    for (const key of Object.keys(value)) {
      const where = [...path, key];
      if (poisonous.has(key))
        throw new GatewayError('configuration_invalid', `${pathText(where)}: this field name is not allowed.`, { param: pathText(where) });
      refusePoison((value as Record<string, unknown>)[key], where);
    }
  }
}
