/** Rows that the configuration file of the gateway (PAILOU_CONFIG) owns: only that file changes them. */
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';
import { ownerLabel, type RowLabels } from '../types/row-labels.ts';
import type { Writer } from '../types/writes.ts';

export const fileOwns =
  'The configuration file of the gateway (PAILOU_CONFIG) owns this row. Change it there and restart, or take it out of the file.';

export const isFileOwned = ({ labels }: Pick<ConfigRow, 'labels'>): boolean => labels?.[ownerLabel] === 'file';

/** The labels that people gave: without the mark of the file. */
export function labelsOfPeople({ labels = {} }: Pick<ConfigRow, 'labels'>): RowLabels {
  const { [ownerLabel]: _owner, ...others } = labels;
  return others;
}

/** Throws `locked` when the writer is not the file. */
export function requireUnlocked(row: ConfigRow, writer: Writer): void {
  if (writer.isConfigurationFile === true || !isFileOwned(row)) return;
  throw new GatewayError('locked', `${row.kind} "${row.name}": ${fileOwns}`, { param: 'name' });
}
