/** Ids of responses and their items. An item's id contains its response, so that a reference can be resolved. */

const responsePrefix = 'resp_';
const itemPattern = /^(?:msg|rs|fc|ctc|mcp|apr|ig)_([0-9a-f]{32})[0-9a-f]{4}$/;

export type ItemPrefix = 'msg' | 'rs' | 'fc' | 'ctc' | 'mcp' | 'ig';

/** The response id for a run. */
export function responseId(runId: string): string {
  return responsePrefix + runId.replaceAll('-', '');
}

export function itemId(prefix: ItemPrefix, response: string, index: number): string {
  return `${prefix}_${response.slice(responsePrefix.length)}${index.toString(16).padStart(4, '0')}`;
}

/** The response that contains the item; undefined for an id that Pailou did not create. */
export function responseOfItem(id: string): string | undefined {
  const hex = itemPattern.exec(id)?.[1];
  return hex === undefined ? undefined : responsePrefix + hex;
}
