/** The predefined CMaps of PDF, by which fonts that are not embedded have characters: GBK-EUC-H, UniGB-UCS2-H, 90ms-RKSJ-H and others. */
import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';

let packed: Uint8Array | null = null;

/** Asked by the parser for files that a PDF does not bring. Nothing but CMaps is here: other data only matters where pages are drawn. */
export class PredefinedCMaps {
  fetch({ kind, filename }: { readonly kind: string; readonly filename: string }): Promise<Uint8Array> {
    if (kind !== 'cMapUrl') return Promise.reject(new Error(`${filename} is not here`));
    packed ??= readFileSync(new URL('predefined-cmaps.zip', import.meta.url));
    const found = unzipSync(packed, { filter: ({ name }) => name === filename })[filename];
    return found === undefined ? Promise.reject(new Error(`there is no CMap ${filename}`)) : Promise.resolve(found);
  }
}
