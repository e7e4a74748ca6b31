/** The times at which budgets with alerts are read from the ledger. */
import { expect, it, vi } from 'vitest';
import { createBudgetAlerts } from '../../src/quota/budget-alerts.ts';
import type { BudgetAlertStore } from '../../src/storage/budget-alert-store.ts';
import type { Snapshot } from '../../src/types/snapshot.ts';
import { memoryLogger } from '../storage/databases.ts';

it('budgets are read soon after a call, and once more after the last one', async () => {
  vi.useFakeTimers();
  try {
    let readings = 0;
    await using alerts = createBudgetAlerts({
      store: { prune: async () => {} } as unknown as BudgetAlertStore,
      reader: { since: async () => [] },
      current: () => ({ tenants: new Map() }) as unknown as Snapshot,
      flush: async () => void readings++,
      deliver: async () => null,
      logger: memoryLogger(),
    });
    alerts.spent('acme');
    await vi.advanceTimersByTimeAsync(29_000);
    expect(readings).toBe(1);
    alerts.spent('acme');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(readings, 'half a second after the last call').toBe(2);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(readings, 'half a minute after the last call').toBe(3);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(readings).toBe(3);
  } finally {
    vi.useRealTimers();
  }
});
