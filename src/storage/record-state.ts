/** What writers of records say about themselves, for metrics and readiness. */
import type { WatchedGauge } from '../telemetry/metrics.ts';

/** The state of one writer. Counts are those since the start of the process. */
export interface RecordState {
  /** The kind of record, e.g. `runs`. */
  readonly name: string;
  /** Records that are neither in the database nor on disk. */
  readonly pending: number;
  /** Records that went to disk, because the database was away or slow. */
  readonly spooled: number;
  /** Records that the database can never take; they lie in `refused.txt`. */
  readonly refused: number;
  /** Records that were lost: neither database nor disk took them, and memory was full. */
  readonly dropped: number;
  /** Why neither the database nor the disk takes records now; null while one does. */
  readonly failure: string | null;
  /** The number of files on disk that wait for the database. */
  files(): Promise<number>;
}

const label = ({ name }: RecordState): string => name.replaceAll(' ', '_');

/** The metrics of these writers, each with the label `records`. */
export function recordMetrics(states: readonly RecordState[]): readonly WatchedGauge[] {
  const of = (value: (state: RecordState) => number) => () => new Map(states.map((state) => [label(state), value(state)]));
  const common = { label: 'records' } as const;
  return [
    {
      ...common,
      name: 'pailou_records_pending',
      help: 'Records in memory, neither in the database nor on disk.',
      read: of(({ pending }) => pending),
    },
    {
      ...common,
      name: 'pailou_records_spool_files',
      help: 'Files of records on disk that wait for the database.',
      read: async () => new Map(await Promise.all(states.map(async (state) => [label(state), await state.files()] as const))),
    },
    {
      ...common,
      name: 'pailou_records_spooled_total',
      type: 'counter',
      help: 'Records that went to disk first, because the database was away or slow.',
      read: of(({ spooled }) => spooled),
    },
    {
      ...common,
      name: 'pailou_records_refused_total',
      type: 'counter',
      help: 'Records that the database can never take. They are in refused.txt of their spool folder.',
      read: of(({ refused }) => refused),
    },
    {
      ...common,
      name: 'pailou_records_dropped_total',
      type: 'counter',
      help: 'Records that were lost: neither the database nor the disk took them, and memory was full.',
      read: of(({ dropped }) => dropped),
    },
  ];
}

/** Why records can be written neither to the database nor to disk, with the remedy; null when they can. */
export function unwrittenReason(states: readonly RecordState[]): string | null {
  const stuck = states.find(({ failure }) => failure !== null);
  if (stuck === undefined) return null;
  return `The ${stuck.name} can be written neither to the database nor to disk (${stuck.failure}). They wait in memory. Free space on the disk or bring the database back; the node is ready again by itself.`;
}
