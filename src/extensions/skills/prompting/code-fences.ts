/** Removes Markdown code fences that models put around an answer. */

/** The content of a fence that encloses the whole text. Any other text is returned unchanged. */
export function stripCodeFence(text: string): string {
  const lines = text.trim().split('\n');
  const [, mark] = /^(`{3,}|~{3,})[\w+.-]{0,40}$/.exec(lines[0]?.trimEnd() ?? '') ?? [];
  if (mark === undefined || lines.length < 2 || lines.at(-1) !== mark) return text;
  const own = lines.slice(1, -1);
  // A second fence of the same kind: the text is several blocks.
  return own.some((line) => line.trimStart().startsWith(mark)) ? text : own.join('\n');
}
