/** The output: permanent lines and, on a terminal, a block below them that is redrawn. */
export interface Terminal {
  readonly isInteractive: boolean;
  line(text: string): void;
  /** Replaces the block below the lines; no effect without a terminal. */
  block(lines: readonly string[]): void;
  bold(text: string): string;
  dim(text: string): string;
}

/** The parts of a stream used here. */
export interface Output {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

const ESCAPE = '\u001b[';

/** A terminal if standard output is one (unless CI or NO_COLOR is set), otherwise plain lines. */
export function openTerminal(output: Output, env: NodeJS.ProcessEnv): Terminal {
  const isInteractive = output.isTTY === true && env.TERM !== 'dumb' && !env.CI;
  return isInteractive ? interactive(output, env) : plain(output);
}

function plain(output: Output): Terminal {
  return {
    isInteractive: false,
    line: (text) => {
      output.write(`${text}\n`);
    },
    block: () => undefined,
    bold: (text) => text,
    dim: (text) => text,
  };
}

function interactive(output: Output, env: NodeJS.ProcessEnv): Terminal {
  let shown: readonly string[] = [];
  const style = (code: number, text: string): string =>
    env.NO_COLOR ? text : `${ESCAPE}${code}m${text}${ESCAPE}0m`;
  const erase = (): string => (shown.length === 0 ? '' : `${ESCAPE}${shown.length}A${ESCAPE}0J`);
  // A wrapped line would take two rows, and the block would move down the screen.
  const fit = (text: string): string => cut(text, Math.max(20, (output.columns ?? 80) - 1));
  const draw = (lines: readonly string[]): string => lines.map((line) => `${fit(line)}\n`).join('');
  return {
    isInteractive: true,
    line: (text) => {
      output.write(`${erase()}${text}\n${draw(shown)}`);
    },
    block: (lines) => {
      output.write(`${erase()}${draw(lines)}`);
      shown = lines;
    },
    bold: (text) => style(1, text),
    dim: (text) => style(2, text),
  };
}

/** Cuts to a number of visible characters; escape sequences do not count. */
export function cut(text: string, columns: number): string {
  // oxlint-disable-next-line no-control-regex
  const pieces = text.split(/(\u001b\[[0-9;]*m)/);
  let left = columns;
  let result = '';
  for (const piece of pieces) {
    if (piece.startsWith(ESCAPE)) {
      result += piece;
      continue;
    }
    const characters = Array.from(piece);
    result += characters.slice(0, left).join('');
    left -= Math.min(left, characters.length);
  }
  return result;
}
