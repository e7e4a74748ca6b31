/** Places the error of the server at the field that it names. */
import { ApiError } from '../api/api-error.ts';
import type { FormProblems } from './schema-form/form-context.ts';

export function problemsOf(error: Error | null): FormProblems {
  if (!(error instanceof ApiError) || error.param === null) return {};
  const path = error.param.replace(/^spec\./, '').replaceAll(/\[(\d+)\]/g, '.$1');
  // The message begins with the field, whose title is shown beside it.
  const colon = error.message.indexOf(': ');
  return { [path]: colon > 0 && colon < 80 ? error.message.slice(colon + 2) : error.message };
}
