/** A file that travels in the value itself, as name, media type and base64. */
import { DeleteOutlined, PaperClipOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { type ReactNode, useRef } from 'react';
import { useTexts } from '../../i18n/texts.ts';
import { readAsDataUrl } from '../data-url.ts';
import { texts } from './texts.ts';

interface FileValue {
  readonly name?: string;
  readonly media_type?: string;
  readonly base64: string;
}

interface FileControlProps {
  readonly id: string;
  readonly disabled: boolean;
  readonly 'aria-label': string;
  readonly value: unknown;
  readonly onChange: (value: FileValue | undefined) => void;
}

async function readFile(file: File): Promise<FileValue> {
  const address = await readAsDataUrl(file);
  return { name: file.name, ...(file.type === '' ? {} : { media_type: file.type }), base64: address.slice(address.indexOf(',') + 1) };
}

export function FileControl({ id, disabled, value, onChange, ...labelled }: FileControlProps): ReactNode {
  const t = useTexts(texts);
  const chosen = value as FileValue | undefined;
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className="file-control">
      <input
        ref={input}
        type="file"
        className="file-input"
        tabIndex={-1}
        aria-hidden
        onChange={({ target }) => {
          const [file] = target.files ?? [];
          if (file !== undefined) void readFile(file).then(onChange);
          target.value = '';
        }}
      />
      <Button id={id} disabled={disabled} icon={<PaperClipOutlined aria-hidden />} {...labelled} onClick={() => input.current?.click()}>
        {t('chooseFile')}
      </Button>
      {chosen?.base64 !== undefined && (
        <>
          <span translate="no">{chosen.name}</span>
          <Button
            type="text"
            size="small"
            icon={<DeleteOutlined aria-hidden />}
            aria-label={t('removeFile')}
            disabled={disabled}
            onClick={() => onChange(undefined)}
          />
        </>
      )}
    </div>
  );
}
