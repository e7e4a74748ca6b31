/** How long plugin instances live: from the snapshot that made them until no call holds a snapshot that uses them. */
import type { Handle } from './instances.ts';
import type { Built } from './snapshot/built.ts';

/** A snapshot that the service or a call holds. */
interface Held {
  readonly sequence: number;
  holders: number;
}

/** An instance that newer snapshots do not use. */
interface Retired {
  readonly handle: Handle;
  /** The first and the last snapshot that use it. */
  readonly since: number;
  readonly until: number;
}

export interface InstanceLifetimes {
  /** `next` follows the current snapshot and is held by the service. */
  follow(next: Built): void;
  hold(built: Built): void;
  release(built: Built): void;
  isHeld(built: Built): boolean;
}

export function createInstanceLifetimes(dispose: (handle: Handle) => void): InstanceLifetimes {
  const held = new Map<Built, Held>();
  const since = new Map<Handle, number>();
  let retired: Retired[] = [];
  let sequence = 0;

  const isUsed = (each: Retired): boolean => {
    for (const snapshot of held.values()) if (snapshot.sequence >= each.since && snapshot.sequence <= each.until) return true;
    return false;
  };
  const disposeUnused = (): void => {
    const unused = retired.filter((each) => !isUsed(each));
    if (unused.length === 0) return;
    retired = retired.filter((each) => !unused.includes(each));
    for (const { handle } of unused) dispose(handle);
  };

  return {
    follow(next) {
      const last = sequence++;
      held.set(next, { sequence, holders: 1 });
      for (const handle of next.added) since.set(handle, sequence);
      for (const handle of next.dropped) {
        retired.push({ handle, since: since.get(handle) ?? last, until: last });
        since.delete(handle);
      }
    },
    hold(built) {
      const snapshot = held.get(built);
      if (snapshot !== undefined) snapshot.holders++;
    },
    release(built) {
      const snapshot = held.get(built);
      if (snapshot === undefined || --snapshot.holders > 0) return;
      held.delete(built);
      if (retired.length > 0) disposeUnused();
    },
    isHeld: (built) => held.has(built),
  };
}
