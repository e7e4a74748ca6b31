/**
 * The line that Claude Code puts at the head of its instructions for Anthropic's billing, such as `x-anthropic-billing-header: cc_version=…`.
 * It changes with each call, so that at any other vendor no prompt prefix is found in its cache.
 */
const line = /^x-anthropic-billing-header:[^\n]*(?:\n|$)/;

function withoutLine(text: string): string {
  return text.replace(line, '');
}

function blockWithoutLine(block: unknown): unknown {
  const text = (block as { readonly text?: unknown } | null)?.text;
  return typeof text === 'string' && line.test(text) ? { ...(block as object), text: withoutLine(text) } : block;
}

/** `system` of Anthropic's Messages without the line. Undefined when nothing else is in it. */
export function withoutBillingLine<T>(system: T): T | undefined {
  if (typeof system === 'string') {
    const text = withoutLine(system);
    return text === '' ? undefined : (text as T);
  }
  if (!Array.isArray(system)) return system;
  const blocks = system as readonly unknown[];
  const written = blocks.map(blockWithoutLine);
  if (written.every((block, index) => block === blocks[index])) return system;
  const kept = written.filter((block, index) => block === blocks[index] || (block as { readonly text: string }).text !== '');
  return kept.length === 0 ? undefined : (kept as T);
}
