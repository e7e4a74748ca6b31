/** The lines of a file of runs in progress: a later line of a run replaces an earlier one, and an ended run has a last line that says so. */
import type { OpenRun, RunRecord } from '../types/run.ts';

/** What of a run can change while it is in progress. */
type Progress = readonly [
  firstTokenAt: number | null,
  deployment: string | null,
  attempts: number,
  inputTokens: number,
  outputTokens: number,
  cost: number | null,
];

const progressOf = ({ firstTokenAt, deployment, attempts, usage, cost }: RunRecord): Progress => [
  firstTokenAt,
  deployment,
  attempts.length,
  usage?.inputTokens ?? 0,
  usage?.outputTokens ?? 0,
  cost,
];

export class OpenRunLines {
  readonly #open = new Map<string, { readonly run: OpenRun; written: Progress | null }>();
  /** Ended runs with a line in the file. */
  #ended: string[] = [];

  get size(): number {
    return this.#open.size;
  }

  begun(run: OpenRun): void {
    if (!this.#open.has(run.id)) this.#open.set(run.id, { run, written: null });
  }

  ended(id: string): void {
    if (this.#open.size === 0) return;
    const entry = this.#open.get(id);
    if (entry === undefined) return;
    this.#open.delete(id);
    if (entry.written !== null) this.#ended.push(id);
  }

  /** A line for each run that has changed since it was last written, and for each that has ended. */
  *changes(): Generator<string> {
    const ended = this.#ended;
    this.#ended = [];
    for (const id of ended) yield `${JSON.stringify({ id, ended: true })}\n`;
    for (const entry of this.#open.values()) {
      const record = entry.run.snapshot();
      const progress = progressOf(record);
      if (entry.written?.every((value, index) => value === progress[index]) === true) continue;
      entry.written = progress;
      yield `${JSON.stringify(record)}\n`;
    }
  }

  /** From now on every run counts as changed: the file begins anew. */
  startOver(): void {
    this.#ended = [];
    for (const entry of this.#open.values()) entry.written = null;
  }
}

/** The runs that had not ended. The last line may be cut by a crash. */
export function openRunsOf(text: string): readonly RunRecord[] {
  const runs = new Map<string, RunRecord>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    let record: RunRecord | { readonly id: string; readonly ended: true };
    try {
      record = JSON.parse(line) as RunRecord;
    } catch {
      continue;
    }
    if ('ended' in record) runs.delete(record.id);
    else runs.set(record.id, record);
  }
  return [...runs.values()];
}
