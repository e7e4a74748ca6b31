/** What a vendor said, of the JSON in which the gateway keeps it. */
interface Kept {
  readonly status?: unknown;
  readonly text?: unknown;
  readonly reason?: unknown;
}

export interface VendorWords {
  readonly words: string;
  /** Why the address could not be reached; null where it answered. */
  readonly reason: string | null;
}

export function vendorWords(detail: string): VendorWords {
  try {
    const { status, text, reason } = JSON.parse(detail) as Kept;
    const words = [...(typeof status === 'number' ? [`HTTP ${status}`] : []), ...(typeof text === 'string' ? [text] : [])];
    return { words: words.length === 0 ? detail : words.join(' · '), reason: typeof reason === 'string' ? reason : null };
  } catch {
    return { words: detail, reason: null };
  }
}
