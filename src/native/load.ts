// Loads the addon, once a thread, on first use.
import { existsSync } from 'node:fs'
import { packageFile } from '../package-file.ts'
import { packageManifest } from '../package-manifest.ts'
import type { Addon } from './addon.ts'
import { addonFailure } from './addon-failure.ts'
import { findAddon } from './find-addon.ts'
import { thisPlatform } from './this-platform.ts'

let loaded: Addon | undefined

/**
 * The addon: the file that MILLRACE_ADDON in the environment names, else the one built in this checkout, else that of the
 * package for this platform.
 *
 * @throws {MillraceError} MILLRACE_NATIVE_LOAD that lists what was tried, and what to do.
 */
export function loadAddon(): Addon {
  loaded ??= load()
  return loaded
}

function load(): Addon {
  const { addon, attempts } = findAddon()
  if (addon !== undefined) return addon
  throw addonFailure({
    attempts,
    platform: thisPlatform(),
    node: process.version,
    version: packageManifest().version,
    checkout: existsSync(packageFile('native')),
  })
}
