/** The interface of a command, and its output. */

export interface Command {
  /** Resolves with the exit code: 0 done, 1 failed. Rejects with a UsageError for 2. */
  run(args: string[]): Promise<number>;
}

/** A wrong use of the command; the message shows the right one. */
export class UsageError extends Error {}

/** What a program reads of an error beside its message. */
export interface ErrorFacts {
  readonly code: string;
  readonly param?: string | null | undefined;
  readonly request_id?: string | undefined;
}

const output = { isJson: false };

/** From here on errors and notes are JSON objects on standard error, one a line. */
export function speakJson(): void {
  output.isJson = true;
}

const control = /[^\P{Cc}\t\n]/gu;
const digits = (mark: string, length: number): string => mark.charCodeAt(0).toString(16).padStart(length, '0');
/** Escapes control characters: text of models and servers must not control the terminal. */
const shown = (text: string): string => text.replace(control, (mark) => `\\x${digits(mark, 2)}`);
/** JSON on one line or indented, with control characters as `\u` escapes. */
const jsonText = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(control, (mark) => `\\u${digits(mark, 4)}`);

/** Text without a line break at its end. */
export const printPart = (text: string): void => void process.stdout.write(shown(text));
export const print = (text: string): void => void process.stdout.write(`${shown(text)}\n`);
export const printJson = (value: unknown, indent?: number): void => void process.stdout.write(`${jsonText(value, indent)}\n`);

const complain = (text: string, asJson: unknown): void => void process.stderr.write(`${output.isJson ? jsonText(asJson) : shown(text)}\n`);
/** Tells why the command fails. */
export const printError = (text: string, facts: ErrorFacts = { code: 'failed' }): void =>
  complain(text, { error: { ...facts, message: text.trim() } });
/** Tells what to know or to do next; the command does not fail by it. */
export const printNote = (text: string): void => complain(text, { note: text });
