/** A labelled counter with a cheap increment: plain numbers, copied to prom-client on scrape. */
import { Counter, type Registry } from 'prom-client';

export interface LabelledCounterOptions<Label extends string> {
  readonly registry: Registry;
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Label[];
}

/** Adds `amount` to the series with these values of the labels, in the order of `labelNames`. */
export type LabelledCounter = (amount: number, ...values: readonly string[]) => void;

export function createLabelledCounter<Label extends string>({
  registry,
  name,
  help,
  labelNames,
}: LabelledCounterOptions<Label>): LabelledCounter {
  const waiting = new Map<string, { readonly values: readonly string[]; amount: number }>();
  const counter = new Counter({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      for (const { values, amount } of waiting.values()) counter.labels(...values).inc(amount);
      waiting.clear();
    },
  });
  return (amount, ...values) => {
    const key = values.join('\n');
    const series = waiting.get(key);
    if (series === undefined) waiting.set(key, { values, amount });
    else series.amount += amount;
  };
}
