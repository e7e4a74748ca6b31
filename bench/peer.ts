/** `--against URL`: the same calls to another gateway, for comparison. Its CPU is not known, so calls per second and latency are measured. */
import { load } from './load.ts';
import { latencyOf, type Candidate } from './measure.ts';
import type { Row } from './report.ts';
import { chatOf } from './scenarios.ts';

export interface Peer {
  readonly url: string;
  readonly token: string | null;
  /** The name by which the peer serves the model. */
  readonly model: string;
}

export async function peerRow(work: string, peer: Peer, pailou: Candidate, plan: { windows: number; seconds: number }): Promise<Row> {
  const sides = [
    {
      target: { url: peer.url, tokens: peer.token === null ? [] : [peer.token] },
      call: chatOf(peer.model),
      rates: [] as number[],
      all: [] as number[],
    },
    { target: pailou, call: chatOf('bench-chat'), rates: [] as number[], all: [] as number[] },
  ];
  for (let window = 0; window <= plan.windows; window++)
    for (const side of sides) {
      const result = await load(side.target, side.call, { callers: 32, seconds: plan.seconds });
      if (window === 0) continue;
      side.rates.push(result.calls / result.seconds);
      side.all.push(...result.latencies);
    }
  const [theirs = '', own = ''] = sides.map(({ rates, all }) => {
    const { p50, p99 } = latencyOf([{ latencies: all.toSorted((one, other) => one - other) }]);
    return `${(rates.reduce((sum, rate) => sum + rate, 0) / rates.length).toFixed(0)} calls/s, p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)} ms`;
  });
  return { work, bare: `peer: ${theirs}`, pailou: own, ratio: null, budget: '', within: null, note: `${peer.url}, 32 callers` };
}
