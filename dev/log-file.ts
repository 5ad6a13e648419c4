import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';

/** The log of one start; the previous log is kept as `.1`. */
interface LogFile {
  readonly path: string;
  line(text: string): void;
  close(): Promise<void>;
}

export async function openLogFile(path: string): Promise<LogFile> {
  await rename(path, `${path}.1`).catch(() => undefined);
  const stream = createWriteStream(path, { mode: 0o600 });
  // A full disk must not end the stack, because this is only its log.
  stream.on('error', () => undefined);
  return {
    path,
    line: (text) => {
      if (stream.writable) stream.write(`${text}\n`);
    },
    close: () => new Promise((resolve) => stream.end(resolve)),
  };
}
