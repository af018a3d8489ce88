// Finds and loads the addon, once, on first use.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { MillraceError } from '../errors.ts'
import type { Addon } from './addon.ts'
import { addonFile } from './addon-file.ts'

const require = createRequire(import.meta.url)

let loaded: Addon | undefined

/**
 * The addon. MILLRACE_ADDON in the environment names another file than the one built in this checkout.
 *
 * @throws {MillraceError} MILLRACE_NATIVE_LOAD when it is missing or does not load here.
 */
export function loadAddon(): Addon {
  loaded ??= load()
  return loaded
}

function load(): Addon {
  const path = addonFile()
  if (!existsSync(path)) {
    throw new MillraceError({
      code: 'MILLRACE_NATIVE_LOAD',
      message: `expected the native addon at ${path}, found nothing; build it with: npm run setup`,
    })
  }
  try {
    return require(path) as Addon
  } catch (cause) {
    throw new MillraceError({
      code: 'MILLRACE_NATIVE_LOAD',
      message:
        `${path} does not load on ${process.platform} ${process.arch}, Node ${process.version}: ` +
        `${cause instanceof Error ? cause.message : String(cause)}; rebuild it with: npm run setup`,
      cause,
    })
  }
}
