/** A call with a token that the gateway has not seen: its signature, claims and rights are checked first. */
import type { BenchedGateway } from './gateway.ts';
import { load } from './load.ts';
import type { Candidate } from './measure.ts';
import { cpuMicroseconds } from './processes.ts';
import type { Row } from './report.ts';
import { chat } from './scenarios.ts';

export async function coldTokensRow(work: string, gateway: BenchedGateway, pailou: Candidate, calls: number): Promise<Row> {
  const cost = async (tokens: readonly string[]): Promise<number> => {
    const before = cpuMicroseconds(pailou.pid);
    await load({ url: pailou.url, tokens }, chat.call, { callers: 16, seconds: Infinity, calls });
    return (cpuMicroseconds(pailou.pid) - before) / calls;
  };
  for (let round = 0; round < 3; round++) await cost(gateway.tokens);
  await cost(await gateway.freshTokens(calls));
  const known = await cost(gateway.tokens);
  const fresh = await cost(await gateway.freshTokens(calls));
  return {
    work,
    bare: '',
    pailou: `${fresh.toFixed(0)} µs`,
    ratio: fresh / known,
    budget: '',
    within: null,
    note: `ratio to ${known.toFixed(0)} µs with twenty known tokens; ${calls.toLocaleString('en')} tokens, each used once`,
  };
}
