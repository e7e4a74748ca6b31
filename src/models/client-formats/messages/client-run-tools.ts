/** Anthropic's tools that the client itself runs. Other vendors are offered a function of the same name; its calls need no translation. */
import type { JsonObject } from '../../../types/json.ts';

interface ClientRunTool {
  readonly description: string;
  readonly parameters: JsonObject;
}

const text = { type: 'string' };
const whole = { type: 'integer' };
const pair = { type: 'array', items: whole };

function schema(properties: JsonObject, required: readonly string[]): JsonObject {
  return { type: 'object', properties, required };
}

function oneOf(...values: readonly string[]): JsonObject {
  return { type: 'string', enum: values };
}

const bash: ClientRunTool = {
  description: 'Runs a command in a shell on the computer of the user and returns its output. restart starts a new shell.',
  parameters: schema({ command: text, restart: { type: 'boolean' } }, []),
};

const edits = { path: text, file_text: text, old_str: text, new_str: text, insert_line: whole, insert_text: text, view_range: pair };

const textEditor: ClientRunTool = {
  description:
    'Views and changes text files of the user: view (path, view_range), create (path, file_text), str_replace (path, old_str, new_str), insert (path, insert_line, insert_text).',
  parameters: schema({ command: oneOf('view', 'create', 'str_replace', 'insert'), ...edits }, ['command', 'path']),
};

const memory: ClientRunTool = {
  description:
    'Keeps notes between conversations in files below /memories: view (path), create (path, file_text), str_replace (path, old_str, new_str), insert (path, insert_line, insert_text), delete (path), rename (old_path, new_path).',
  parameters: schema(
    { command: oneOf('view', 'create', 'str_replace', 'insert', 'delete', 'rename'), ...edits, old_path: text, new_path: text },
    ['command'],
  ),
};

const clicks = ['left_click', 'right_click', 'middle_click', 'double_click', 'triple_click', 'left_click_drag'];

const computer: ClientRunTool = {
  description: 'Acts on the screen of a computer and returns a screenshot. Call it with the action screenshot to see the screen.',
  parameters: schema(
    {
      action: oneOf(...clicks, 'mouse_move', 'left_mouse_down', 'left_mouse_up', 'type', 'key', 'hold_key', 'scroll', 'wait', 'screenshot'),
      coordinate: pair,
      start_coordinate: pair,
      text,
      scroll_direction: oneOf('up', 'down', 'left', 'right'),
      scroll_amount: whole,
      duration: { type: 'number' },
    },
    ['action'],
  ),
};

const tools: readonly (readonly [RegExp, ClientRunTool])[] = [
  [/^bash_\d+$/, bash],
  [/^text_editor_\d+$/, textEditor],
  [/^memory_\d+$/, memory],
  [/^computer_\d+$/, computer],
];

/** The tool of a type with its date, such as `bash_20250124`; undefined for tools that Anthropic runs. */
export function clientRunTool(type: string): ClientRunTool | undefined {
  return tools.find(([pattern]) => pattern.test(type))?.[1];
}
