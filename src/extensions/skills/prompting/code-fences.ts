/** Fences of code that models put around an answer, though nobody asked for them. */

/** What stands within a fence that is around all of the text, and around nothing else; else the text as it is. */
export function stripCodeFence(text: string): string {
  const lines = text.trim().split('\n');
  const [, mark] = /^(`{3,}|~{3,})[\w+.-]{0,40}$/.exec(lines[0]?.trimEnd() ?? '') ?? [];
  if (mark === undefined || lines.length < 2 || lines.at(-1) !== mark) return text;
  const own = lines.slice(1, -1);
  // Another fence of the same kind within: these are several blocks, or one that holds others.
  return own.some((line) => line.trimStart().startsWith(mark)) ? text : own.join('\n');
}
