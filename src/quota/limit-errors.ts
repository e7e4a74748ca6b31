/** Errors for reached limits, as messages for the caller and headers that OpenAI's clients read. */
import { GatewayError } from '../types/errors.ts';
import type { LimitRule } from '../types/limits.ts';
import type { Demand } from './limit-requests.ts';
import { minuteMs, type Verdict } from './counter-store.ts';

function money(amount: number, currency: string): string {
  return `${(amount / 1_000_000).toLocaleString('en-US', { maximumFractionDigits: 6, useGrouping: false })} ${currency}`;
}

function spanOf(key: string): string {
  if (key.endsWith(':total')) return 'in all';
  return `a ${['day', 'week'].find((unit) => key.includes(`:${unit}:`)) ?? 'month'}`;
}

function whatIsLimited({ measure, limit, rule, key }: Demand): string {
  switch (measure) {
    case 'requests':
      return `${limit} requests a minute`;
    case 'tokens':
      return `${limit} tokens a minute`;
    case 'concurrent':
      return `${limit} calls at once`;
    case 'spend':
      return `${money(limit, rule.spec.spend?.currency ?? '')} ${spanOf(key)}`;
    default:
      return measure satisfies never;
  }
}

/** The remedy for a call that is larger than the whole limit. */
function tooLarge(demand: Demand): string {
  const needs =
    demand.measure === 'spend'
      ? `may cost ${money(demand.amount, demand.rule.spec.spend?.currency ?? '')}`
      : `may take ${demand.amount} tokens`;
  return `This call alone ${needs}. Shorten it, or set max_tokens lower.`;
}

export function limitExceeded(demand: Demand, waitMs: number): GatewayError {
  const { rule, measure } = demand;
  const allows = `The limit "${rule.name}" allows ${whatIsLimited(demand)}.`;
  const details = { limit: rule.name, measure };
  if (waitMs === Infinity)
    return new GatewayError(measure === 'spend' ? 'budget_exhausted' : 'rate_limited', `${allows} ${tooLarge(demand)}`, { details });
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1_000));
  if (measure === 'spend') {
    const until = demand.key.endsWith(':total') ? '' : ` until ${new Date(demand.until).toISOString()}`;
    return new GatewayError('budget_exhausted', `${allows} It is used up${until}; your administrator can raise it.`, {
      details,
      ...(until === '' ? {} : { retryAfterSeconds }),
    });
  }
  return new GatewayError('rate_limited', `${allows} Wait ${retryAfterSeconds} s and try again.`, { details, retryAfterSeconds });
}

export function unknownPrice(rule: LimitRule, model: string): GatewayError {
  const currency = rule.spec.spend?.currency ?? '';
  return new GatewayError(
    'price_unknown',
    `The limit "${rule.name}" counts what you spend, and the model "${model}" has no price in ${currency}. An administrator must set one, or allow models without a price there.`,
    { details: { limit: rule.name }, param: 'model' },
  );
}

/** A duration in Go's notation, as OpenAI sends it: `120ms`, `1.5s`, `1m0s`. */
function duration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.ceil(milliseconds)}ms`;
  const seconds = Math.ceil(milliseconds / 100) / 10;
  if (seconds < 60) return `${seconds}s`;
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / 60)}m${whole % 60}s`;
}

/** `x-ratelimit-*` of the tightest limit of each measure. https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers */
export function rateLimitHeaders(demands: readonly Demand[], { refused, counters }: Verdict, at: number): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const measure of ['requests', 'tokens'] as const) {
    let tightest: { limit: number; left: number; used: number } | null = null;
    for (const [index, demand] of demands.entries()) {
      if (demand.measure !== measure) continue;
      const used = (counters[index]?.used ?? 0) + (refused === null ? demand.amount : 0);
      const left = Math.max(0, Math.floor(demand.limit - used));
      if (tightest === null || left / demand.limit < tightest.left / tightest.limit) tightest = { limit: demand.limit, left, used };
    }
    if (tightest === null) continue;
    headers[`x-ratelimit-limit-${measure}`] = String(tightest.limit);
    headers[`x-ratelimit-remaining-${measure}`] = String(tightest.left);
    // The current use has faded at the end of the next minute.
    headers[`x-ratelimit-reset-${measure}`] = duration(tightest.used <= 0 ? 0 : 2 * minuteMs - (at % minuteMs));
  }
  return headers;
}
