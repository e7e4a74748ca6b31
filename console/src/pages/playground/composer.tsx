/** Where the question is written: text, pictures and text files; Enter sends, Shift+Enter breaks the line. */
import { PaperClipOutlined, SendOutlined, StopOutlined } from '@ant-design/icons';
import { App, Button, Input, Tag } from 'antd';
import { type ReactNode, useRef, useState } from 'react';
import { useTexts } from '../../i18n/texts.ts';
import type { Picture } from './chat.ts';
import { readAttachment, type Attachment } from './attachment.ts';
import { texts } from './texts.ts';

interface ComposerProps {
  readonly isBusy: boolean;
  readonly canSend: boolean;
  readonly onSend: (text: string, pictures: readonly Picture[]) => void;
  readonly onStop: () => void;
}

export function Composer({ isBusy, canSend, onSend, onStop }: ComposerProps): ReactNode {
  const t = useTexts(texts);
  const { message } = App.useApp();
  const [text, setText] = useState('');
  const [attachments, setAttachments] = useState<readonly Attachment[]>([]);
  const picker = useRef<HTMLInputElement>(null);
  const isReady = canSend && !isBusy && (text.trim() !== '' || attachments.length > 0);

  const submit = (): void => {
    if (!isReady) return;
    const files = attachments.filter((each) => each.kind === 'text').map(({ name, content }) => `\n\n\`\`\`${name}\n${content}\n\`\`\``);
    const pictures = attachments.filter((each) => each.kind === 'picture').map(({ name, content }) => ({ name, url: content }));
    onSend(text + files.join(''), pictures);
    setText('');
    setAttachments([]);
  };
  const attach = async (files: readonly File[]): Promise<void> => {
    for (const file of files) {
      const read = await readAttachment(file);
      if (read === null) message.warning(t('fileRefused', { name: file.name }));
      else setAttachments((before) => [...before, read]);
    }
  };
  return (
    <div className="composer">
      {attachments.length > 0 && (
        <div className="row-actions" translate="no">
          {attachments.map(({ name }, index) => (
            <Tag key={index} closable onClose={() => setAttachments(attachments.toSpliced(index, 1))}>
              {name}
            </Tag>
          ))}
        </div>
      )}
      <Input.TextArea
        value={text}
        aria-label={t('question')}
        placeholder={t('question')}
        autoSize={{ minRows: 2, maxRows: 8 }}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={(event) => {
          // While an input method composes Chinese, Enter chooses a word.
          if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
          event.preventDefault();
          submit();
        }}
        onPaste={(event) => {
          const files = [...event.clipboardData.files];
          if (files.length > 0) void attach(files);
        }}
      />
      <div className="composer-actions">
        <Button icon={<PaperClipOutlined aria-hidden />} aria-label={t('attach')} onClick={() => picker.current?.click()} />
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          aria-label={t('attach')}
          onChange={({ target }) => {
            void attach([...(target.files ?? [])]);
            target.value = '';
          }}
        />
        {isBusy ? (
          <Button icon={<StopOutlined aria-hidden />} onClick={onStop}>
            {t('stop')}
          </Button>
        ) : (
          <Button type="primary" icon={<SendOutlined aria-hidden />} disabled={!isReady} onClick={submit}>
            {t('send')}
          </Button>
        )}
      </div>
    </div>
  );
}
