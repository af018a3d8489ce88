import { fileURLToPath } from 'node:url'

// From src/native and from dist/native alike.
const builtHere = fileURLToPath(new URL('../../build/Release/millrace.node', import.meta.url))

/** Where the addon is expected: MILLRACE_ADDON in the environment, or the one built in this checkout. */
export function addonFile(): string {
  return process.env['MILLRACE_ADDON'] ?? builtHere
}
