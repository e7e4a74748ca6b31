/** Which Claude models accept prefill; newer ones refuse it. https://platform.claude.com/docs/en/about-claude/models/migration-guide */
import type { Prefill } from '../../types/provider.ts';

/** The first version that refuses prefill. */
const refusesFrom = 4.06;

/** Null for a name that is not a Claude model. */
function versionOf(model: string): number | null {
  const name = model.toLowerCase();
  if (!name.includes('claude')) return null;
  // Two digits at most: longer numbers are dates.
  const now = /claude-[a-z]+-(\d+)(?:[-.](\d{1,2}))?(?!\d)/.exec(name) ?? /claude-v?(\d)(?:[-.:](\d))?(?!\d)/.exec(name);
  if (now !== null) return Number(now[1]) + Number(now[2] ?? 0) / 100;
  return name.includes('claude-instant') ? 1 : Infinity;
}

/** Undefined for a Claude model that refuses prefill; `other` for other models. */
export function claudePrefill(model: string, other?: Prefill): Prefill | undefined {
  const version = versionOf(model);
  if (version === null) return other;
  return version < refusesFrom ? {} : undefined;
}
