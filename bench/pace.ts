/** Open-loop load: calls start at a fixed rate, whether or not earlier ones have ended. A pause of the server counts for every call that it delays. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { Answer, type Call, requestOf, type Target } from './load.ts';
import { type Latency, latencyOf } from './measure.ts';

export interface Paced {
  /** To the end of each call, in milliseconds. */
  readonly whole: Latency;
  /** To the first bytes of the body. */
  readonly first: Latency;
}

export async function pace(
  target: Target,
  call: Call,
  options: { readonly perSecond: number; readonly seconds: number; readonly meanwhile?: () => Promise<unknown> },
): Promise<Paced> {
  const pool = new Pool(target.url, { connections: 1_024, pipelining: 1, bodyTimeout: 0 });
  const whole: number[] = [];
  const first: number[] = [];
  const open: Promise<void>[] = [];
  const began = performance.now();
  const count = options.perSecond * options.seconds;
  const end = new AbortController();
  const beside = (async () => {
    while (!end.signal.aborted && options.meanwhile !== undefined) {
      const due = performance.now() + 1_000;
      await options.meanwhile();
      await sleep(Math.max(0, due - performance.now()), undefined, { signal: end.signal }).catch(() => {});
    }
  })();
  try {
    for (let index = 0; index < count; index++) {
      // A call is due at its own time. One that starts late counts from the time at which it was due.
      const due = began + (index * 1_000) / options.perSecond;
      const early = due - performance.now();
      if (early > 0) await sleep(early);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const answer = new Answer(call.streamed, resolve, reject);
      pool.dispatch(requestOf(target, call, index), answer);
      const recorded = promise.then(() => {
        whole.push(performance.now() - due);
        first.push(answer.firstAt - due);
      });
      recorded.catch(() => {});
      open.push(recorded);
    }
    await Promise.all(open);
  } finally {
    end.abort();
    await beside;
    await pool.destroy();
  }
  const ascending = (values: number[]): number[] => values.sort((one, other) => one - other);
  return { whole: latencyOf([{ latencies: ascending(whole) }]), first: latencyOf([{ latencies: ascending(first) }]) };
}
