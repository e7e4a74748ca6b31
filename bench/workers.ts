/** Rows about workers: the CPU of a call on all processes beside one process, and the memory of a worker. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGateway } from './gateway.ts';
import { load } from './load.ts';
import { type Candidate, median, type Plan } from './measure.ts';
import { cpuMicroseconds } from './processes.ts';
import type { Row } from './report.ts';
import { chat, models } from './scenarios.ts';

const budgets = { cpu: 1.15, megabytes: 80 };

/** The processes that `pid` has started. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

/** Memory of a process, with its share of what it has in common with others. */
function shareMegabytes(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1_024;
}

const cpuOfAll = (pid: number): number => [pid, ...childrenOf(pid)].reduce((sum, each) => sum + cpuMicroseconds(each), 0);

/** `one`: a gateway without workers. */
export async function workersRows(work: string, upstream: string, one: Candidate, plan: Plan): Promise<readonly Row[]> {
  const gateway = await startGateway(upstream, models, undefined, { PAILOU_WORKERS: '2' });
  try {
    const two: Candidate = { ...one, url: gateway.url, pid: gateway.pid, tokens: gateway.tokens };
    // A process returns what its start used some seconds later, and reads the tokenizer.
    await sleep(20_000);
    const megabytes = Math.max(...childrenOf(gateway.pid).map(shareMegabytes));
    const compared = async (name: string, budget: number | null): Promise<Row> => {
      for (const each of [one, two]) await load(each, chat.call, { callers: 16, seconds: Infinity, calls: plan.warmCalls });
      const found: { readonly one: number; readonly two: number; readonly rate: number }[] = [];
      for (let window = 0; window < plan.windows; window++) {
        const perCall = async ({ pid, url, tokens }: Candidate) => {
          const before = cpuOfAll(pid);
          const { calls, seconds } = await load({ url, tokens }, chat.call, { callers: 16, seconds: plan.seconds });
          return { cpu: (cpuOfAll(pid) - before) / calls, rate: calls / seconds };
        };
        const [first, second] = [await perCall(one), await perCall(two)];
        found.push({ one: first.cpu, two: second.cpu, rate: second.rate / first.rate });
      }
      const ratio = median(found.map((each) => each.two / each.one));
      return {
        work: name,
        bare: '',
        pailou: `${median(found.map((each) => each.two)).toFixed(0)} µs`,
        ratio,
        budget: budget === null ? '' : `<= ${budget}`,
        within: budget === null ? null : ratio <= budget,
        note: `ratio to ${median(found.map((each) => each.one)).toFixed(0)} µs of one process; ${median(found.map(({ rate }) => rate)).toFixed(2)} times its calls a second`,
      };
    };
    const plain = await compared(`${work}, CPU of all processes per call`, budgets.cpu);
    await gateway.admin('POST', '/limits', {
      name: 'wide',
      spec: { subject_type: 'user', capability: 'model/bench-chat', requests_per_minute: 10_000_000 },
    });
    const limited = await compared(`${work}; the same with a limit, beside one process without`, null);
    const memory: Row = {
      work: `${work}, memory of a worker`,
      bare: '',
      pailou: `${megabytes.toFixed(0)} MB`,
      ratio: null,
      budget: `<= ${budgets.megabytes} MB`,
      within: megabytes <= budgets.megabytes,
      note: 'resident, with its share of common pages, twenty seconds after the start',
    };
    return [plain, limited, memory];
  } finally {
    await gateway.stop();
  }
}
