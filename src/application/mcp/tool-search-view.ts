/** The same door for clients that would drown in definitions: they search for tools instead of reading them all. */
import type { McpView } from '../../extensions/mcp/gate/mcp-view.ts';
import { callTool, findTools, searchModeTools, searchTools, wantedTool } from '../../extensions/mcp/tool-search.ts';
import { visibleSkills } from './skill-tools.ts';
import { type Place, visibleToolItems } from './visible-items.ts';

export function toolSearchView(door: McpView, place: Place): McpView {
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
        return findTools([...visibleToolItems(place), ...(place.only === null ? visibleSkills(place.caller) : [])], input);
      }
      if (name !== callTool) return door.call(name, input, context);
      const wanted = wantedTool(input);
      return door.call(wanted.name, wanted.input, context);
    },
  };
}
