import { findAddon } from './find-addon.ts'

/** The file of the addon that this process uses; undefined where none of those that were tried loads. */
export function addonFile(): string | undefined {
  return findAddon().attempts.find(({ problem }) => problem === undefined)?.target
}
