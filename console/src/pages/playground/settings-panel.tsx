/** What goes with each question: tools, approvals, instructions, sampling. */
import { Form, Input, InputNumber, Select, Switch } from 'antd';
import type { ReactNode } from 'react';
import { nameOptions } from '../../components/name-options.tsx';
import { useTexts } from '../../i18n/texts.ts';
import type { ChatSettings } from './chat.ts';
import { texts } from './texts.ts';

interface SettingsPanelProps {
  readonly settings: ChatSettings;
  readonly tools: readonly string[];
  readonly onChange: (settings: ChatSettings) => void;
}

export function SettingsPanel({ settings, tools, onChange }: SettingsPanelProps): ReactNode {
  const t = useTexts(texts);
  const change = (part: Partial<ChatSettings>): void => onChange({ ...settings, ...part });
  return (
    <Form layout="vertical" component="div" className="chat-settings">
      <Form.Item label={t('tools')} htmlFor="chat-tools" extra={t('toolsHelp')}>
        <Select
          id="chat-tools"
          aria-label={t('tools')}
          mode="multiple"
          value={[...settings.tools]}
          options={nameOptions(tools)}
          onChange={(next: string[]) => change({ tools: next })}
        />
      </Form.Item>
      <Form.Item label={t('askFirst')} htmlFor="chat-ask" layout="horizontal">
        <Switch id="chat-ask" aria-label={t('askFirst')} checked={settings.askFirst} onChange={(askFirst) => change({ askFirst })} />
      </Form.Item>
      <Form.Item label={t('system')} htmlFor="chat-system">
        <Input.TextArea
          id="chat-system"
          autoSize={{ minRows: 2, maxRows: 6 }}
          value={settings.system}
          onChange={({ target }) => change({ system: target.value })}
        />
      </Form.Item>
      <Form.Item label={t('temperature')} htmlFor="chat-temperature">
        <InputNumber
          id="chat-temperature"
          min={0}
          max={2}
          step={0.1}
          value={settings.temperature}
          placeholder={t('vendorDefault')}
          className="form-number"
          onChange={(temperature) => change({ temperature })}
        />
      </Form.Item>
      <Form.Item label={t('maxTokens')} htmlFor="chat-max">
        <InputNumber
          id="chat-max"
          min={1}
          precision={0}
          value={settings.maxTokens}
          placeholder={t('vendorDefault')}
          className="form-number"
          onChange={(maxTokens) => change({ maxTokens })}
        />
      </Form.Item>
    </Form>
  );
}
