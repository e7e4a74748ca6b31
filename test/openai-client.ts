/** The `openai` client for programs outside of `test/`, where Node does not find the package. */
export { APIError, OpenAI } from 'openai';
