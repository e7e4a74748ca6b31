/** A chat with one round of a tool that the gateway executes, beside a plain chat: two model calls and one call of an MCP tool. */
import { load } from './load.ts';
import type { Candidate } from './measure.ts';
import { cpuMicroseconds } from './processes.ts';
import type { Row } from './report.ts';
import { chat, loopCall } from './scenarios.ts';

/** The MCP server `tools` must be registered. */
export async function toolLoopRow(work: string, pailou: Candidate, calls: number): Promise<Row> {
  const cost = async (call: typeof loopCall): Promise<number> => {
    const before = cpuMicroseconds(pailou.pid);
    const result = await load(pailou, call, { callers: 16, seconds: Infinity, calls });
    return (cpuMicroseconds(pailou.pid) - before) / result.calls;
  };
  for (const call of [loopCall, chat.call]) await cost(call);
  const plain = await cost(chat.call);
  const loop = await cost(loopCall);
  return {
    work,
    bare: '',
    pailou: `${loop.toFixed(0)} µs`,
    ratio: loop / plain,
    budget: '',
    within: null,
    note: `ratio to ${plain.toFixed(0)} µs of a chat without tools; the round itself, beside its two model calls, ${(loop - 2 * plain).toFixed(0)} µs`,
  };
}
