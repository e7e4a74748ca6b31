/**
 * Packs the predefined CMaps of PDF (ISO 32000-2, 9.7.5.2): `node scripts/pack-cmaps.ts <folder>/cmaps`. The folder is that of
 * `pdfjs-dist`, which has forty megabytes of other files. Without the CMaps a font that is not embedded has no characters; most Chinese
 * PDFs use such fonts.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Name the folder cmaps of pdfjs-dist.');
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.bcmap') || name === 'LICENSE')
  .toSorted();
// The same files always give the same bytes.
const packed = zipSync(Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name))])), {
  level: 9,
  mtime: '1980-01-01',
});
writeFileSync(new URL('../src/extensions/skills/documents/formats/predefined-cmaps.zip', import.meta.url), packed);
console.log(`${files.length} files, ${packed.length} bytes`);
