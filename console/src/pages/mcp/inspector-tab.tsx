/** Calls one tool of the service through the gate, with a form made from the tool's own schema. */
import { CaretRightOutlined } from '@ant-design/icons';
import { useMutation } from '@tanstack/react-query';
import { Button, Form, Select, Skeleton, Tag } from 'antd';
import { type ReactNode, useState } from 'react';
import type { Spec } from '../../api/rows.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { nameOptions } from '../../components/name-options.tsx';
import { missingFields } from '../../components/schema-form/schema.ts';
import { texts as formTexts } from '../../components/schema-form/texts.ts';
import { SchemaInput } from '../../components/schema-input.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { callTool, type ContentBlock, type McpItem, type ToolResult, useItems } from './mcp-api.ts';
import { texts } from './texts.ts';

/** A block of the result as text; pictures and links are named, never loaded. */
function shownBlock(block: ContentBlock): string {
  if (block.text !== undefined) return block.text;
  return [block.type, block.mimeType, block.uri].filter((part) => part !== undefined).join(' ');
}

function ResultView({ result }: { readonly result: ToolResult }): ReactNode {
  const t = useTexts(texts);
  const shown = (result.content ?? []).map(shownBlock);
  if (result.structuredContent !== undefined) shown.push(JSON.stringify(result.structuredContent, null, 2));
  return (
    <section aria-label={t('result')} className="output-frame">
      <Tag color={result.isError === true ? 'error' : 'success'}>{t(result.isError === true ? 'toolFailed' : 'toolDone')}</Tag>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long results are scrolled by keyboard */}
      <pre tabIndex={0} className="wrap" translate="no">
        {shown.join('\n\n')}
      </pre>
    </section>
  );
}

function ToolForm({ server, tool }: { readonly server: string; readonly tool: McpItem }): ReactNode {
  const t = useTexts(texts);
  const tf = useTexts(formTexts);
  const schema = tool.definition?.inputSchema ?? {};
  const [input, setInput] = useState<Spec>({});
  const [checked, setChecked] = useState(false);
  const trial = useMutation({ mutationFn: () => callTool(server, tool.name, input) });
  const missing = missingFields(schema, input);
  const problems = checked ? Object.fromEntries(missing.map((path) => [path, tf('required')])) : {};
  const start = (): void => {
    setChecked(true);
    if (missing.length === 0) trial.mutate();
  };
  return (
    <>
      <p translate="no">{tool.definition?.description}</p>
      <Form layout="vertical" onFinish={start}>
        <SchemaInput schema={schema} value={input} onChange={setInput} problems={problems} />
        <Button type="primary" htmlType="submit" icon={<CaretRightOutlined />} loading={trial.isPending}>
          {t('callTool')}
        </Button>
      </Form>
      {trial.error !== null && <ErrorState error={trial.error} />}
      {trial.data !== undefined && !trial.isPending && <ResultView result={trial.data} />}
    </>
  );
}

export function InspectorTab({ server }: { readonly server: string }): ReactNode {
  const t = useTexts(texts);
  const items = useItems(server);
  const [chosen, setChosen] = useState<string | null>(null);
  if (items.error !== null) return <ErrorState error={items.error} onRetry={() => void items.refetch()} />;
  if (items.data === undefined) return <Skeleton active />;
  const tools = items.data.filter(({ kind, state, enabled, present }) => kind === 'tool' && state === 'approved' && enabled && present);
  const [first] = tools;
  if (first === undefined) return <EmptyState title={t('noTools')} help={t('noItemsHelp')} />;
  const tool = tools.find(({ name }) => name === chosen) ?? first;
  return (
    <>
      <p className="form-help">{t('inspectorHelp')}</p>
      <Form.Item label={t('item.tool')} htmlFor="inspector-tool" layout="vertical">
        <Select
          id="inspector-tool"
          aria-label={t('item.tool')}
          showSearch
          value={tool.name}
          options={nameOptions(tools.map(({ name }) => name))}
          onChange={setChosen}
        />
      </Form.Item>
      <ToolForm key={tool.name} server={server} tool={tool} />
    </>
  );
}
