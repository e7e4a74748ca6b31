/** The interface of a command, and its output. */

export interface Command {
  /** Resolves with the exit code: 0 done, 1 failed. Rejects with a UsageError for 2. */
  run(args: string[]): Promise<number>;
}

/** A wrong use of the command; the message shows the right one. */
export class UsageError extends Error {}

/** Escapes control characters: text of models and servers must not control the terminal. */
const shown = (text: string): string => text.replace(/[^\P{Cc}\t\n]/gu, (mark) => `\\x${mark.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** Text without a line break at its end. */
export const printPart = (text: string): void => void process.stdout.write(shown(text));
export const print = (text: string): void => void process.stdout.write(`${shown(text)}\n`);
export const printError = (text: string): void => void process.stderr.write(`${shown(text)}\n`);
