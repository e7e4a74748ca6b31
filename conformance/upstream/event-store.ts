/** Stores the events of a session's streams for a client that reconnects with `Last-Event-ID`. */
import type { EventStore, JSONRPCMessage } from '@modelcontextprotocol/server';

export function createEventStore(): EventStore {
  const events: { readonly stream: string; readonly message: JSONRPCMessage }[] = [];
  const numberOf = (id: string): number => Number(id) - 1;
  return {
    async storeEvent(stream, message) {
      return String(events.push({ stream, message }));
    },
    async getStreamIdForEventId(id) {
      return events[numberOf(id)]?.stream;
    },
    async replayEventsAfter(lastId, { send }) {
      const last = events[numberOf(lastId)];
      if (last === undefined) throw new Error(`There is no event ${lastId}.`);
      for (const [number, { stream, message }] of events.entries()) {
        // A priming event is an empty message.
        const empty = Object.keys(message).length === 0;
        if (number > numberOf(lastId) && stream === last.stream && !empty) await send(String(number + 1), message);
      }
      return last.stream;
    },
  };
}
