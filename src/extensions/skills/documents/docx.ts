/** Word documents, by way of HTML. */
import { GatewayError } from '../../../types/errors.ts';
import type { Section } from './section.ts';
import { readHtml } from './html.ts';

/** Unpacked, in all: a small file can hold a very large one. */
const mostUnpacked = 256 * 1024 * 1024;

export async function readDocx(bytes: Buffer): Promise<readonly Section[]> {
  const { unzipSync } = await import('fflate');
  let unpacked = 0;
  let isDocx = false;
  // Only looks at what is in it.
  unzipSync(bytes, {
    filter({ name, originalSize }) {
      unpacked += originalSize;
      isDocx ||= name === 'word/document.xml';
      return false;
    },
  });
  if (!isDocx)
    throw new GatewayError('invalid_request', 'input.document is a zip file, but no Word document (.docx).', { param: 'input.document' });
  if (unpacked > mostUnpacked)
    throw new GatewayError('invalid_request', `input.document would be larger than ${mostUnpacked} bytes when unpacked.`, {
      param: 'input.document',
    });
  const { default: mammoth } = await import('mammoth');
  const { value } = await mammoth.convertToHtml({ buffer: bytes }, { convertImage: mammoth.images.imgElement(async () => ({ src: '' })) });
  return readHtml(value);
}
