/** The same door for clients that would drown in definitions: they search for tools instead of reading them all. */
import type { McpDoor } from '../../extensions/mcp/gate/mcp-view.ts';
import { callTool, findTools, searchModeTools, searchTools, wantedTool } from '../../extensions/mcp/tool-search.ts';
import { shownSkills } from './skill-tools.ts';
import { type Place, shownTools } from './visible-items.ts';

export function searchDoor(door: McpDoor, place: Place): McpDoor {
  return {
    ...door,
    async offer() {
      const offer = await door.offer();
      return { ...offer, tools: searchModeTools(offer.tools.length) };
    },
    async call(name, input, context) {
      if (name === searchTools) {
        // A server that never answered yet is given its chance.
        await door.offer();
        return findTools([...shownTools(place), ...(place.only === null ? shownSkills(place.caller) : [])], input);
      }
      if (name !== callTool) return door.call(name, input, context);
      const wanted = wantedTool(input);
      return door.call(wanted.name, wanted.input, context);
    },
  };
}
