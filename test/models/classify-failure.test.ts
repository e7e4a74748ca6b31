import { describe, expect, test } from 'vitest';
import { classifyFailure, readRetryAfter } from '../../src/models/classify-failure.ts';

function classify(status: number, body: unknown, headers: Record<string, string> = {}, request = {}) {
  return classifyFailure({ status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }, request);
}

describe('an error response of a vendor', () => {
  test.each([
    [401, {}, 'upstream_authentication', true],
    [403, 'forbidden', 'upstream_authentication', true],
    [402, { error: { message: 'Insufficient Balance' } }, 'upstream_quota_exhausted', true],
    [429, { error: { code: 'insufficient_quota', message: 'x' } }, 'upstream_quota_exhausted', true],
    [429, { error: { type: 'insufficient_quota', code: null } }, 'upstream_quota_exhausted', true],
    [429, 'slow down', 'rate_limited', true],
    [400, { error: { code: 'context_length_exceeded', message: 'x' } }, 'context_length_exceeded', false],
    [400, { message: "This model's maximum context length is 4096 tokens." }, 'context_length_exceeded', false],
    [413, { detail: 'prompt is too long' }, 'context_length_exceeded', false],
    [400, { error: { code: 'content_filter' } }, 'content_filter', false],
    [400, { code: 'DataInspectionFailed', message: 'x', request_id: 'r' }, 'content_filter', false],
    [400, { error: { message: 'temperature must be below 2' } }, 'invalid_request', false],
    [422, { detail: [{ loc: ['body'], msg: 'bad' }] }, 'invalid_request', false],
    [404, { error: { code: 'model_not_found' } }, 'upstream_model_not_found', true],
    [404, '404 page not found', 'upstream_model_not_found', true],
    [405, '', 'upstream_model_not_found', true],
    [400, { error: { message: 'Model not found in the model list, uid: x' } }, 'upstream_model_not_found', true],
    [
      500,
      {
        error: {
          code: 500,
          message: 'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj',
          type: 'server_error',
        },
      },
      'unsupported_parameter',
      false,
    ],
    [
      500,
      {
        error: {
          code: 500,
          message: 'input (8193 tokens) is too large to process. increase the physical batch size (current batch size: 512)',
          type: 'server_error',
        },
      },
      'context_length_exceeded',
      false,
    ],
    [500, { error: { code: 500, message: 'tools param requires --jinja flag', type: 'server_error' } }, 'unsupported_parameter', false],
    [500, { error: { code: 500, message: 'failed to parse grammar', type: 'server_error' } }, 'invalid_request', false],
    [400, { message: 'The provided model identifier is invalid.' }, 'upstream_model_not_found', true],
    [413, '<html>413 Request Entity Too Large</html>', 'body_too_large', false],
    [200, { code: 'InvalidParameter', message: 'voice' }, 'invalid_request', false],
    [500, { error: 'this model is missing data required for image input' }, 'unsupported_parameter', false],
    [400, { error: 'registry.ollama.ai/library/x does not support tools' }, 'unsupported_parameter', false],
    [400, { error: { code: 'tool_use_failed', message: 'x' } }, 'tool_use_failed', false],
    [
      400,
      'id:1\nevent:error\n:HTTP_STATUS/400\ndata:{"code":"DataInspectionFailed","message":"x","request_id":"r"}\n\n',
      'content_filter',
      false,
    ],
    [302, '', 'upstream_error', true],
    [408, '', 'upstream_timeout', true],
    [504, '<html>', 'upstream_timeout', true],
    [500, '', 'upstream_error', true],
    [502, 'bad gateway', 'upstream_unavailable', true],
    [503, '', 'upstream_unavailable', true],
    [529, { type: 'error', error: { type: 'overloaded_error', message: 'x' } }, 'upstream_unavailable', true],
    [400, { code: 'Arrearage', message: 'x' }, 'upstream_quota_exhausted', true],
    [429, [{ error: { code: 429, status: 'RESOURCE_EXHAUSTED', message: 'x' } }], 'rate_limited', true],
  ])('%i %j is %s', (status, body, code, retryable) => {
    expect(classify(status, body)).toMatchObject({ code, retryable });
  });

  test('describes the fault to the caller, but no link, key, account or address', () => {
    const message =
      'Invalid value for temperature; see https://vendor.example/docs. Key sk-proj-abcdef1234567890abcdef of org-AbCdEf12345 (ops@corp.example, 10.1.2.3:8443), req_0123456789abcdef.';
    const error = classify(400, { error: { message, param: 'temperature' } }, {}, { temperature: 9 });
    expect(error.message).toContain('Invalid value for temperature');
    expect(error.message).not.toMatch(/vendor\.example|sk-proj|org-AbC|corp\.example|10\.1\.2\.3|req_0/);
    expect(error.param).toBe('temperature');
    expect(JSON.stringify(error.details)).not.toContain('sk-proj-abc');
  });

  test('keeps the text of every other error for the operator', () => {
    const error = classify(500, { error: { message: 'shard 7 of acme-internal failed' } });
    expect(error.message).not.toContain('shard');
    expect(error.details).toMatchObject({ status: 500, text: 'shard 7 of acme-internal failed' });
    expect(classify(400, '<html><body>nginx 1.2 at host7</body></html>').message).not.toContain('nginx');
  });

  test('names only a field that the caller sent', () => {
    const param = (name: string) => classify(400, { error: { message: 'x', param: name } }, {}, { messages: [] }).param;
    expect(param('messages[0].role')).toBe('messages[0].role');
    expect(param('internal_flag')).toBeNull();
    expect(param('__proto__')).toBeNull();
  });

  test('passes on how long to wait', () => {
    expect(classify(429, '', { 'retry-after': '7' }).retryAfterSeconds).toBe(7);
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-11-23T12:00:00Z');
  test.each([
    [{ 'retry-after': '12' }, 12],
    [{ 'retry-after': '0.5' }, 0.5],
    [{ 'retry-after-ms': '250', 'retry-after': '1' }, 0.25],
    [{ 'retry-after': 'Mon, 23 Nov 2026 12:00:30 GMT' }, 30],
    [{ 'retry-after': 'Mon, 23 Nov 2026 11:00:00 GMT' }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '-4' }, undefined],
    [{}, undefined],
  ])('%j', (headers, seconds) => {
    expect(readRetryAfter(headers, now)).toBe(seconds);
  });
});

describe('the retry delay in the body', () => {
  test.each([
    [{ retry_after: 3 }, 3],
    [{ details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.4s' }] }, 34.4],
    [{ message: 'Rate limit reached. Please try again in 1.5s. Visit us.' }, 1.5],
    [{ message: 'Please retry after 20 seconds.' }, 20],
    [{ message: 'Try again in 250ms.' }, 0.25],
    [{ message: 'Please try again in 2 minutes' }, 120],
    [{ message: 'Try again later.' }, undefined],
  ])('%j is %s seconds', (error, seconds) => {
    const failure = { status: 429, headers: {}, body: JSON.stringify({ error: { code: 'rate_limit_exceeded', ...error } }) };
    expect(classifyFailure(failure).retryAfterSeconds).toBe(seconds);
    expect(classifyFailure({ ...failure, headers: { 'retry-after': '7' } }).retryAfterSeconds).toBe(7);
  });
});
