/** SQLite's errors as sentences for the operator. */
import { GatewayError } from '../../types/errors.ts';

export const readOnlyCode = 8;
/** SQLite result codes of an unusable file. */
const unusable: Readonly<Record<number, string>> = {
  5: 'another process keeps it locked',
  [readOnlyCode]: 'the file or its folder is read-only',
  10: 'the disk reports an error',
  11: 'the file is damaged',
  13: 'the disk is full',
  14: 'the file cannot be opened',
  23: 'access is denied',
  26: 'the file is not a database',
};
/** Too big, constraint, mismatch, out of range. Undefined when a value could not be bound. */
const dataCodes: ReadonlySet<number> = new Set([0, 18, 19, 20, 25]);

/** True for an error in the values of a statement. */
export function isDataError(thrown: unknown): boolean {
  const { errcode } = thrown as { errcode?: number };
  return errcode !== undefined && dataCodes.has(errcode & 0xff);
}

/** A statement's error as a sentence for the operator. */
export function statementError(path: string, error: { message: string; errcode?: number }): Error {
  const reason = unusable[(error.errcode ?? 0) & 0xff];
  if (reason === undefined) return Object.assign(new Error(error.message), { errcode: error.errcode });
  return new GatewayError(
    'storage_unavailable',
    `The database ${path} cannot be used: ${reason}. Check PAILOU_DATA_DIR and the rights on it.`,
    { details: error.message },
  );
}

/** The reason why the file could not be opened. */
export function openError(path: string, error: Error & { errcode?: number }): GatewayError {
  const statement = statementError(path, error);
  if (statement instanceof GatewayError) return statement;
  return new GatewayError('storage_unavailable', `The database ${path} cannot be opened. See the log of the node.`, { cause: error });
}

/** The error of statements that wait for a dead thread. */
export function lost(message: string, cause?: Error): GatewayError {
  return new GatewayError('storage_unavailable', message, cause === undefined ? {} : { cause, details: cause.message });
}
