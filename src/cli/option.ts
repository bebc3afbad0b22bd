/** What a command can be given: its options, and whether a program stands behind them. */

/** One option: parsing, help and completion are all made of this. */
export interface Option {
  /** A text, a text that may be given several times, or present and absent. */
  kind: 'text' | 'list' | 'flag';
  /** What stands for the value in help, such as FILE; none for a flag. */
  value?: string;
  /** In one or more sentences; help breaks the lines. */
  help: string;
  /** The only values there are: another one is refused. */
  values?: readonly string[];
  /** Values that are offered, beside any other text, such as the policies that are built in. */
  offered?: readonly string[];
  short?: string;
  /** What may stand behind a flag's =, such as --json=compat. */
  also?: readonly string[];
}

export type Options = Readonly<Record<string, Option>>;

/** What is read of a command's words. */
export interface Taken {
  options: Options;
  /** Whether what stands behind -- is a program with its own arguments. */
  takesProgram?: true;
}
