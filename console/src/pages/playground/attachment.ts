/** Reads a file that is attached to a question: a picture as a data address, a text as text. */
import { readAsDataUrl } from '../../components/data-url.ts';

export interface Attachment {
  readonly kind: 'picture' | 'text';
  readonly name: string;
  readonly content: string;
}

const largestPicture = 10_000_000;
const largestText = 1_000_000;
const pictureTypes = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

/** Null for a file that is too large, or neither a picture nor text. */
export async function readAttachment(file: File): Promise<Attachment | null> {
  if (pictureTypes.has(file.type))
    return file.size > largestPicture ? null : { kind: 'picture', name: file.name, content: await readAsDataUrl(file) };
  if (file.size > largestText) return null;
  try {
    const content = new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
    return content.includes('\0') ? null : { kind: 'text', name: file.name, content };
  } catch {
    return null;
  }
}
