/** Ids of responses and their items. An item's id contains its response, so that a reference can be resolved. */

const responsePrefix = 'resp_';
const itemPattern = /^[a-z]{1,12}_([0-9a-f]{32})[0-9a-f]{4}$/;

/** The response id for a run. */
export function responseId(runId: string): string {
  return responsePrefix + runId.replaceAll('-', '');
}

/** `prefix`: by which clients tell the kind of an item, such as `msg` or `fc`. */
export function itemId(prefix: string, response: string, index: number): string {
  return `${prefix}_${response.slice(responsePrefix.length)}${index.toString(16).padStart(4, '0')}`;
}

/** The response that contains the item; undefined for an id that Pailou did not create. */
export function responseOfItem(id: string): string | undefined {
  const hex = itemPattern.exec(id)?.[1];
  return hex === undefined ? undefined : responsePrefix + hex;
}
