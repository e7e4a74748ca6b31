/** The view for clients with limited context: they search for tools instead of listing all definitions. */
import type { McpView } from '../../extensions/mcp/gate/mcp-view.ts';
import { callTool, findTools, searchModeTools, searchTools, wantedTool } from '../../extensions/mcp/tool-search.ts';
import { visibleSkills } from './skill-tools.ts';
import { type Place, visibleToolItems } from './visible-items.ts';

export function toolSearchView(view: McpView, place: Place): McpView {
  return {
    ...view,
    async offer() {
      const offer = await view.offer();
      return { ...offer, tools: searchModeTools(offer.tools.length) };
    },
    async call(name, input, context) {
      if (name === searchTools) {
        // Waits for servers that have never answered.
        await view.offer();
        return findTools([...visibleToolItems(place), ...(place.only === null ? visibleSkills(place.caller) : [])], input);
      }
      if (name !== callTool) return view.call(name, input, context);
      const wanted = wantedTool(input);
      return view.call(wanted.name, wanted.input, context);
    },
  };
}
