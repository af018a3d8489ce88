// Which of the process's own flags a worker is given. Those that concern modules (a TypeScript loader, conditions) it
// needs; others are for the process alone, or stop a worker from starting, such as --input-type.

/** Flags that take a value, in the same argument or in the next. */
const withValue: readonly string[] = [
  '--import',
  '--require',
  '-r',
  '--loader',
  '--experimental-loader',
  '--conditions',
  '-C',
]
const alone: readonly string[] = [
  '--enable-source-maps',
  '--experimental-strip-types',
  '--experimental-transform-types',
  '--no-warnings',
  '--preserve-symlinks',
]

/** The flags of `execArgv` for a worker. Pure. */
export function workerFlags(execArgv: readonly string[]): string[] {
  const flags: string[] = []
  for (let at = 0; at < execArgv.length; at++) {
    const flag = execArgv[at] as string
    const [name = ''] = flag.split('=', 1)
    if (alone.includes(flag)) flags.push(flag)
    if (!withValue.includes(name)) continue
    const value = flag === name ? execArgv[++at] : undefined
    flags.push(...(value === undefined ? [flag] : [flag, value]))
  }
  return flags
}
