/** Ids of responses and of the items in them. An item's id names its response, so that a reference to it can be followed. */

const responsePrefix = 'resp_';
const itemPattern = /^(?:msg|rs|fc|ctc|mcp|apr|ig)_([0-9a-f]{32})[0-9a-f]{4}$/;

export type ItemPrefix = 'msg' | 'rs' | 'fc' | 'ctc' | 'mcp' | 'ig';

/** The id of the response that a run gives. */
export function responseId(runId: string): string {
  return responsePrefix + runId.replaceAll('-', '');
}

export function itemId(prefix: ItemPrefix, response: string, index: number): string {
  return `${prefix}_${response.slice(responsePrefix.length)}${index.toString(16).padStart(4, '0')}`;
}

/** The response that an item came with; undefined for an id that is none of ours. */
export function responseOfItem(id: string): string | undefined {
  const hex = itemPattern.exec(id)?.[1];
  return hex === undefined ? undefined : responsePrefix + hex;
}
