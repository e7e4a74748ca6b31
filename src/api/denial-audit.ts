/** Writes refusals to the audit: single entries up to a limit, then a count, so that a flood cannot fill the disk. */
import type { AuditAct, AuditLog } from '../storage/audit.ts';

export interface DenialAudit {
  /** Never throws and never waits. */
  book(act: AuditAct): void;
  /** Writes the pending counts. */
  close(): void;
}

export interface DenialAuditOptions {
  readonly audit: Pick<AuditLog, 'append'>;
  /** The most entries of one actor in one window. */
  readonly perActor?: number;
  /** The most entries of one act in one tenant in one window. */
  readonly perTenant?: number;
  readonly windowMs?: number;
}

/** One act in one tenant. */
interface DenialCount {
  recorded: number;
  readonly byActor: Map<string, number>;
  leftOut: number;
}

/** The most actors that are counted separately; further ones of a window share a count. */
const actorsAtMost = 1_000;
const others = '(others)';

export function createDenialAudit({ audit, perActor = 60, perTenant = 300, windowMs = 60_000 }: DenialAuditOptions): DenialAudit {
  let tallies = new Map<string, DenialCount & Pick<AuditAct, 'tenant' | 'act'>>();
  let since = 0;
  let timer: NodeJS.Timeout | undefined;

  const end = (): void => {
    clearTimeout(timer);
    timer = undefined;
    for (const { tenant, act, leftOut, byActor } of tallies.values()) {
      if (leftOut === 0) continue;
      const [most, count] = [...byActor].reduce((one, other) => (other[1] > one[1] ? other : one), ['', 0] as const);
      audit.append({
        tenant,
        actor: 'pailou',
        act: `${act}, left out`,
        target: `actor/${most}`,
        requestId: '',
        detail: `${leftOut} more since ${new Date(since).toISOString()} were not recorded one by one; ${count} of the total by ${most}.`,
      });
    }
    tallies = new Map();
  };

  return {
    book(entry) {
      const { tenant, act, actor } = entry;
      if (timer === undefined) {
        since = Date.now();
        timer = setTimeout(end, windowMs);
        timer.unref();
      }
      const key = JSON.stringify([tenant, act]);
      let tally = tallies.get(key);
      if (tally === undefined) tallies.set(key, (tally = { tenant, act, recorded: 0, leftOut: 0, byActor: new Map() }));
      const counted = tally.byActor.has(actor) || tally.byActor.size < actorsAtMost ? actor : others;
      const count = (tally.byActor.get(counted) ?? 0) + 1;
      tally.byActor.set(counted, count);
      if (count > perActor || tally.recorded >= perTenant) {
        tally.leftOut++;
        return;
      }
      tally.recorded++;
      audit.append(entry);
    },
    close: end,
  };
}
