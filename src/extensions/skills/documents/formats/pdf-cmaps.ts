/** The predefined CMaps of PDF (GBK-EUC-H, UniGB-UCS2-H, 90ms-RKSJ-H and others), which map fonts that are not embedded to characters. */
import { readFileSync } from 'node:fs';
import { unzipSync } from 'fflate';

let packed: Uint8Array | null = null;

/** Serves the parser's requests for data files. Only CMaps are included; other data matters for rendering only. */
export class PredefinedCMaps {
  fetch({ kind, filename }: { readonly kind: string; readonly filename: string }): Promise<Uint8Array> {
    if (kind !== 'cMapUrl') return Promise.reject(new Error(`${filename} is not here`));
    packed ??= readFileSync(new URL('predefined-cmaps.zip', import.meta.url));
    const found = unzipSync(packed, { filter: ({ name }) => name === filename })[filename];
    return found === undefined ? Promise.reject(new Error(`there is no CMap ${filename}`)) : Promise.resolve(found);
  }
}
