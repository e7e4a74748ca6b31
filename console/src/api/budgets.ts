/** Budgets in their current periods. The gateway decides which of them the reader may see. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { call } from './client.ts';

export interface BudgetState {
  readonly limit: string;
  readonly subject_type: 'tenant' | 'team' | 'role' | 'user' | 'client' | 'key';
  readonly subject: string;
  /** The person, client or key with this count; null for one that all share. */
  readonly counted: string | null;
  readonly capability: string;
  readonly model: string | null;
  readonly period: 'day' | 'week' | 'month' | 'total';
  /** Null for a total, which never starts again. */
  readonly until: string | null;
  readonly currency: string;
  readonly spent: number;
  readonly amount: number;
  readonly left: number;
}

export interface BudgetReport {
  /** The fullest first. */
  readonly data: readonly BudgetState[];
  readonly total: number;
}

const shownBudgets = 50;

export function useBudgets(): UseQueryResult<BudgetReport> {
  return useQuery({
    // Below the key of the limits, so that a changed limit is read again.
    queryKey: ['/api/limits', 'budgets'],
    queryFn: ({ signal }) => call<BudgetReport>('GET', `/api/reports/budgets?limit=${shownBudgets}`, { signal }),
    refetchInterval: 30_000,
  });
}
