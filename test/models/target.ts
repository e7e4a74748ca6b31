/** The upstream side of one attempt, for tests of formats. */
import type { EncodeTarget } from '../../src/types/wire-format.ts';

export function targetOf(more: Partial<EncodeTarget> = {}): EncodeTarget & { readonly warnings: string[] } {
  const warnings: string[] = [];
  return { model: 'theirs', stream: false, vendor: 'vendor', warn: (note) => warnings.push(note), warnings, ...more };
}
