/**
 * The npm that started us when there is one: it needs no shell and no PATH.
 * @returns {{ command: string, args: string[] }} args: before npm's own
 */
export function npmCommand() {
  const path = process.env['npm_execpath'] ?? ''
  if (/npm-cli\.[cm]?js$/.test(path)) return { command: process.execPath, args: [path] }
  return { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', args: [] }
}
