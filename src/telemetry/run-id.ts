/** Ids of runs: UUIDs of version 7 (RFC 9562), which begin with the time. */
import { randomUUID } from 'node:crypto';

/**
 * Ids made one after the other lie side by side in the indexes of the ledger. Wholly random ones would each touch a page of
 * their own, which costs a large database several times as much.
 */
export function newRunId(): string {
  const time = Date.now().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
