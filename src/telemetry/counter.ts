/** A labelled counter with a cheap increment: plain numbers in a tree of label values, copied to prom-client on scrape. No key is joined. */
import { Counter, type Registry } from 'prom-client';

export interface LabelledCounterOptions<Label extends string> {
  readonly registry: Registry;
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Label[];
}

/** Adds `amount` to the series with these values of the labels, in the order of `labelNames`. */
export type LabelledCounter = (amount: number, ...values: readonly string[]) => void;

/** A node of the tree of label values; a leaf is a series. */
interface Series {
  readonly inner: Map<string, Series>;
  amount: number;
}

const newSeries = (): Series => ({ inner: new Map(), amount: 0 });

/** Calls back for each series with an amount, and takes the amount out. */
function collect(series: Series, values: readonly string[], add: (values: readonly string[], amount: number) => void): void {
  if (series.amount !== 0) {
    add(values, series.amount);
    series.amount = 0;
  }
  for (const [value, inner] of series.inner) collect(inner, [...values, value], add);
}

export function createLabelledCounter<Label extends string>({
  registry,
  name,
  help,
  labelNames,
}: LabelledCounterOptions<Label>): LabelledCounter {
  const root = newSeries();
  const counter = new Counter({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      collect(root, [], (values, amount) => counter.labels(...values).inc(amount));
    },
  });
  return (amount, ...values) => {
    let series = root;
    for (const value of values) {
      let inner = series.inner.get(value);
      if (inner === undefined) series.inner.set(value, (inner = newSeries()));
      series = inner;
    }
    series.amount += amount;
  };
}
