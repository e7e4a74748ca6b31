/** The lines of a file of runs in progress. A later line of a run replaces an earlier one. A run whose record is stored has a last line that says that it ended. */
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

interface Open {
  /** Null once it has ended: V8 may keep the entry in a replaced table of the map, and it would keep the whole call. */
  run: OpenRun | null;
  written: Progress | null;
}

export class OpenRunLines {
  readonly #open = new Map<string, Open>();
  /** Ended runs with a line in the file. */
  #ended: string[] = [];
  /** Ended runs whose record is in the file, because it was not stored yet. */
  readonly #unstored = new Set<string>();

  /** True when no run needs a line in the file. */
  isEmpty(unwritten: readonly RunRecord[], isLate: boolean): boolean {
    if (this.#open.size > 0) return false;
    if (unwritten.length === 0) return true;
    return !isLate && !unwritten.some(({ id }) => this.#unstored.has(id) || this.#ended.includes(id));
  }

  begun(run: OpenRun): void {
    if (!this.#open.has(run.id)) this.#open.set(run.id, { run, written: null });
  }

  ended(id: string): void {
    if (this.#open.size === 0) return;
    const entry = this.#open.get(id);
    if (entry === undefined) return;
    this.#open.delete(id);
    entry.run = null;
    if (entry.written !== null) this.#ended.push(id);
  }

  /**
   * A line for each run that has changed since it was last written, and for each that has ended.
   * `unwritten`: the records of ended runs that are not stored. They replace the line of their run; `isLate`: each gets a line.
   */
  *changes(unwritten: readonly RunRecord[], isLate: boolean): Generator<string> {
    const ended = new Set([...this.#unstored, ...this.#ended]);
    this.#ended = [];
    for (const record of unwritten) {
      const hasLine = ended.delete(record.id);
      if ((!hasLine && !isLate) || this.#unstored.has(record.id)) continue;
      this.#unstored.add(record.id);
      yield `${JSON.stringify(record)}\n`;
    }
    for (const id of ended) {
      this.#unstored.delete(id);
      yield `${JSON.stringify({ id, ended: true })}\n`;
    }
    for (const entry of this.#open.values()) {
      if (entry.run === null) continue;
      const record = entry.run.snapshot();
      const progress = progressOf(record);
      if (entry.written?.every((value, index) => value === progress[index]) === true) continue;
      entry.written = progress;
      yield `${JSON.stringify(record)}\n`;
    }
  }

  /** From now on every run counts as changed: the file begins anew. */
  startOver(): void {
    // Their records are still to be written where they are not stored.
    this.#ended = [...this.#ended, ...this.#unstored];
    this.#unstored.clear();
    for (const entry of this.#open.values()) entry.written = null;
  }

  /** The file is gone, and no ended run needs it. */
  forgetEnded(): void {
    this.#ended = [];
    this.#unstored.clear();
  }
}

/** The runs that had not ended, and the records that were not stored. The last line may be cut by a crash. */
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
