/**
 * Packs the predefined CMaps of PDF (ISO 32000-2, 9.7.5.2) out of a folder of `pdfjs-dist`, which ships them beside forty megabytes that are not
 * needed here: `node scripts/pack-cmaps.ts <folder>/cmaps`. Without them a font that is not embedded, the usual way to write Chinese, has no characters.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Name the folder cmaps of pdfjs-dist.');
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.bcmap') || name === 'LICENSE')
  .toSorted();
// The same bytes for the same files, whenever it is done.
const packed = zipSync(Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name))])), {
  level: 9,
  mtime: '1980-01-01',
});
writeFileSync(new URL('../src/extensions/skills/documents/formats/predefined-cmaps.zip', import.meta.url), packed);
console.log(`${files.length} files, ${packed.length} bytes`);
