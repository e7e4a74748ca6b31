/** Parses a row's spec by its schema. */
import type { z } from 'zod';
import { type ResourceKind, resourceSpecs } from '../types/resources.ts';
import { invalidBySchema } from './validation-errors.ts';

/** Throws `configuration_invalid` for an invalid spec, such as one that was edited directly or is of an older version. */
export function parseSpec<K extends ResourceKind>(kind: K, spec: unknown): z.output<(typeof resourceSpecs)[K]> {
  const checked = resourceSpecs[kind].safeParse(spec);
  if (!checked.success) throw invalidBySchema(checked.error, ['spec']);
  return checked.data as z.output<(typeof resourceSpecs)[K]>;
}
